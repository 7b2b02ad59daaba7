"""The whole of Azure's how-to on cross-tenant connections, as its reader would do it with the SDK."""

from __future__ import annotations

from azure.mgmt.network import NetworkManagementClient, models

from bodies import fields, manager_connection, new_manager, scope_connection
from clients import Clients, eventually
from emulator import Emulator
from places import GROUPED_SUBSCRIPTION, HUB, MANAGEMENT_GROUP, TARGET, TARGET_SUBSCRIPTION, network, subscription


def states(hub: NetworkManagementClient, target: NetworkManagementClient, manager: str, half: str) -> tuple[str, str]:
    """The state of the manager's half and of the target's."""
    ours = hub.scope_connections.get(HUB, manager, half)
    theirs = target.subscription_network_manager_connections.get(half)
    return fields(ours).connection_state, fields(theirs).connection_state


def cross_tenant_scopes(hub: NetworkManagementClient, manager: str) -> list[tuple[str, list[str], list[str]]]:
    """What the manager says it reaches in other tenants."""
    listed = hub.network_managers.get(HUB, manager).network_manager_scopes.cross_tenant_scopes
    return [(it.tenant_id, it.subscriptions, it.management_groups) for it in listed or []]


def test_from_two_halves_to_a_member_and_back(
    emulator: Emulator,
    hub: NetworkManagementClient,
    hub_for_both: NetworkManagementClient,
    target: NetworkManagementClient,
    manager: str,
) -> None:
    half, scope = manager, subscription(TARGET_SUBSCRIPTION)
    made = hub.scope_connections.create_or_update(HUB, manager, half, scope_connection(TARGET, scope))
    assert fields(made).connection_state == "Pending"
    target.subscription_network_manager_connections.create_or_update(half, manager_connection(manager))
    assert states(hub, target, manager, half) == ("Pending", "Pending")
    assert cross_tenant_scopes(hub, manager) == []

    connected = ("Connected", "Connected")
    eventually(lambda: states(hub, target, manager, half), lambda both: both == connected)
    listed = eventually(lambda: cross_tenant_scopes(hub, manager), lambda scopes: scopes != [])
    assert listed == [(TARGET, [scope], [])]

    # A new description is no new connection.
    hub.scope_connections.create_or_update(HUB, manager, half, scope_connection(TARGET, scope, "ours"))
    target.subscription_network_manager_connections.create_or_update(half, manager_connection(manager, "theirs"))
    assert states(hub, target, manager, half) == connected
    assert fields(hub.scope_connections.get(HUB, manager, half)).description == "ours"
    assert fields(target.subscription_network_manager_connections.get(half)).description == "theirs"

    hub.network_groups.create_or_update(HUB, manager, "foreign", models.NetworkGroup())
    body = models.StaticMember(resource_id=network("targetVnet01"))
    hub_for_both.static_members.create_or_update(HUB, manager, "foreign", "vnet", body)
    eventually(
        lambda: hub.static_members.get(HUB, manager, "foreign", "vnet").provisioning_state,
        lambda state: state == "Succeeded",
    )

    hub.static_members.delete(HUB, manager, "foreign", "vnet")
    hub.network_groups.begin_delete(HUB, manager, "foreign").result()
    target.subscription_network_manager_connections.delete(half)
    left = eventually(
        lambda: fields(hub.scope_connections.get(HUB, manager, half)).connection_state,
        lambda state: state != "Connected",
    )
    assert left in ("Pending", "Revoked")
    eventually(lambda: cross_tenant_scopes(hub, manager), lambda scopes: scopes == [])
    # So soon after its connection, a manager that goes would leave its scopes stuck for those that come after it.
    with emulator.settings(stuckWindowMs=0):
        hub.scope_connections.delete(HUB, manager, half)
        hub.network_managers.begin_delete(HUB, manager).result()


def test_a_management_group_of_the_target_tenant(
    hub: NetworkManagementClient, target: NetworkManagementClient, manager: str
) -> None:
    scope = f"/providers/Microsoft.Management/managementGroups/{MANAGEMENT_GROUP}"
    theirs = target.management_group_network_manager_connections
    theirs.create_or_update(MANAGEMENT_GROUP, manager, manager_connection(manager))
    hub.scope_connections.create_or_update(HUB, manager, manager, scope_connection(TARGET, scope))
    eventually(
        lambda: fields(theirs.get(MANAGEMENT_GROUP, manager)).connection_state, lambda state: state == "Connected"
    )
    listed = eventually(lambda: cross_tenant_scopes(hub, manager), lambda scopes: scopes != [])
    assert listed == [(TARGET, [], [scope])]


def test_what_another_manager_holds_already_is_in_conflict(
    clients: Clients, hub: NetworkManagementClient, name: str
) -> None:
    # A subscription of this test's own: which manager holds it matters here.
    scope, theirs = subscription(GROUPED_SUBSCRIPTION), clients.network(GROUPED_SUBSCRIPTION, TARGET)
    first, second = f"{name}-1", f"{name}-2"

    def connect(manager: str) -> None:
        hub.network_managers.create_or_update(HUB, manager, new_manager())
        hub.scope_connections.create_or_update(HUB, manager, "half", scope_connection(TARGET, scope))
        theirs.subscription_network_manager_connections.create_or_update(manager, manager_connection(manager))

    connect(first)
    eventually(lambda: cross_tenant_scopes(hub, first), lambda scopes: scopes != [])
    connect(second)
    eventually(
        lambda: fields(hub.scope_connections.get(HUB, second, "half")).connection_state,
        lambda state: state == "Conflict",
    )
    assert fields(hub.scope_connections.get(HUB, first, "half")).connection_state == "Connected"
    assert cross_tenant_scopes(hub, second) == []
