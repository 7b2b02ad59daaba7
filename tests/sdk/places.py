"""The names in world.yaml: who there is, and where things lie."""

from __future__ import annotations

from dataclasses import dataclass

CENTRAL = "24680975-1234-abcd-56ef-121314ab5643"
TARGET = "12345678-12a3-4abc-5cde-678909876543"

HUB_SUBSCRIPTION = "13579864-1234-5678-abcd-0987654321ab"
TARGET_SUBSCRIPTION = "87654321-abcd-1234-1def-0987654321ab"
GROUPED_SUBSCRIPTION = "11223344-abcd-1234-1def-0987654321ab"
"""A subscription of the target tenant that lies in the management group below."""
MANAGEMENT_GROUP = "mg-shared"

HUB = "hub"
"""The resource group that tests make their managers in."""
OTHER = "other"
"""Another one of the same subscription."""


@dataclass(frozen=True)
class App:
    """An application as azure-identity knows it."""

    client_id: str
    secret: str


NETWORK = App("c0c0c0c0-1111-2222-3333-444444444444", "emulator-secret-network")
"""May do everything in the network of both tenants."""
LOOKER = App("d0d0d0d0-1111-2222-3333-444444444444", "emulator-secret-looker")
"""May do everything in the hub, and only look at the target's networks."""
STRANGER = App("e0e0e0e0-1111-2222-3333-444444444444", "emulator-secret-stranger")
"""The target tenant never consented to it."""


def subscription(id: str) -> str:
    """The resource id of a subscription."""
    return f"/subscriptions/{id}"


def manager(name: str, resource_group: str = HUB) -> str:
    """The resource id of a network manager in the hub."""
    return _resource(HUB_SUBSCRIPTION, resource_group, f"networkManagers/{name}")


def network(name: str, id: str = TARGET_SUBSCRIPTION, resource_group: str = "temp") -> str:
    """The resource id of a virtual network."""
    return _resource(id, resource_group, f"virtualNetworks/{name}")


def _resource(id: str, resource_group: str, rest: str) -> str:
    return f"{subscription(id)}/resourceGroups/{resource_group}/providers/Microsoft.Network/{rest}"
