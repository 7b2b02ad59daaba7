"""Both halves of a connection, each alone: every operation on scope connections, and on the connections of a
subscription and of a management group. What the two do together is in test_handshake.py.
"""

from __future__ import annotations

from typing import Any, Callable

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient, models

from bodies import fields, manager_connection, scope_connection
from clients import Clients
from emulator import Emulator
from places import (
    CENTRAL,
    HUB,
    HUB_SUBSCRIPTION,
    MANAGEMENT_GROUP,
    TARGET,
    TARGET_SUBSCRIPTION,
    subscription,
)
from places import manager as manager_id

MANAGEMENT_GROUP_ID = f"/providers/Microsoft.Management/managementGroups/{MANAGEMENT_GROUP}"


class OfSubscription:
    """The target's halves on a subscription."""

    scope = subscription(TARGET_SUBSCRIPTION)

    def __init__(self, client: NetworkManagementClient) -> None:
        operations = client.subscription_network_manager_connections
        self.put: Callable[..., Any] = operations.create_or_update
        self.get: Callable[..., Any] = operations.get
        self.list: Callable[..., Any] = operations.list
        self.delete: Callable[..., Any] = operations.delete


class OfManagementGroup:
    """The target's halves on a management group: the same operations, with the group's name in front."""

    scope = MANAGEMENT_GROUP_ID

    def __init__(self, client: NetworkManagementClient) -> None:
        self._operations = client.management_group_network_manager_connections

    def put(self, name: str, body: Any) -> Any:
        return self._operations.create_or_update(MANAGEMENT_GROUP, name, body)

    def get(self, name: str) -> Any:
        return self._operations.get(MANAGEMENT_GROUP, name)

    def list(self) -> Any:
        return self._operations.list(MANAGEMENT_GROUP)

    def delete(self, name: str) -> Any:
        return self._operations.delete(MANAGEMENT_GROUP, name)


Halves = Any


@pytest.fixture(params=[OfSubscription, OfManagementGroup], ids=["subscription", "management group"])
def halves(request: pytest.FixtureRequest, target: NetworkManagementClient) -> Halves:
    """The target's halves, once on each kind of scope."""
    return request.param(target)


def test_a_scope_connection_is_made_updated_and_deleted(hub: NetworkManagementClient, manager: str) -> None:
    connections = hub.scope_connections
    target = subscription(TARGET_SUBSCRIPTION)
    made = connections.create_or_update(HUB, manager, "mine", scope_connection(TARGET, target, "first"))
    assert (made.id, made.name) == (f"{manager_id(manager)}/scopeConnections/mine", "mine")
    assert made.type == "Microsoft.Network/networkManagers/scopeConnections"
    assert (fields(made).tenant_id, fields(made).resource_id) == (TARGET, target)
    assert (fields(made).connection_state, fields(made).description) == ("Pending", "first")

    connections.create_or_update(HUB, manager, "mine", scope_connection(TARGET, target, "second"))
    read = connections.get(HUB, manager, "mine")
    assert (fields(read).connection_state, fields(read).description) == ("Pending", "second")
    assert [it.name for it in connections.list(HUB, manager)] == ["mine"]

    assert connections.delete(HUB, manager, "mine") is None
    with pytest.raises(ResourceNotFoundError) as refusal:
        connections.get(HUB, manager, "mine")
    assert refusal.value.error.code == "NotFound"


def test_a_scope_connection_without_a_manager(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        half = scope_connection(TARGET, subscription(TARGET_SUBSCRIPTION))
        hub.scope_connections.create_or_update(HUB, name, "any", half)
    assert refusal.value.error.code == "ParentResourceNotFound"


def test_deleting_a_scope_connection_that_is_not_there_is_no_error(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    since = emulator.last_call()
    assert hub.scope_connections.delete(HUB, manager, "none") is None
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [204]


def test_a_targets_half_is_made_updated_and_deleted(halves: Halves, name: str) -> None:
    made = halves.put(name, manager_connection("not-there-yet", "first"))
    assert (made.id, made.name) == (
        f"{halves.scope}/providers/Microsoft.Network/networkManagerConnections/{name}",
        name,
    )
    assert made.type == "Microsoft.Network/networkManagerConnections"
    assert fields(made).network_manager_id == manager_id("not-there-yet")
    assert (fields(made).connection_state, fields(made).description) == ("Pending", "first")

    halves.put(name, manager_connection("not-there-yet", "second"))
    read = halves.get(name)
    assert (fields(read).connection_state, fields(read).description) == ("Pending", "second")
    assert read.system_data.created_at == made.system_data.created_at
    assert name in [it.name for it in halves.list()]

    assert halves.delete(name) is None
    with pytest.raises(ResourceNotFoundError) as refusal:
        halves.get(name)
    assert refusal.value.error.code == "NotFound"
    assert name not in [it.name for it in halves.list()]


@pytest.mark.parametrize("state", ["Pending", "Connected", "Conflict", "Revoked", "Rejected"])
def test_every_state_has_its_word_in_the_sdk(
    hub: NetworkManagementClient, target: NetworkManagementClient, emulator: Emulator, manager: str, state: str
) -> None:
    ours = scope_connection(TARGET, subscription(TARGET_SUBSCRIPTION))
    ours = hub.scope_connections.create_or_update(HUB, manager, "half", ours)
    theirs = target.subscription_network_manager_connections.create_or_update(manager, manager_connection(manager))
    for half in (ours, theirs):
        emulator.control("POST", "/connections/state", {"id": half.id, "state": state})
    ours = hub.scope_connections.get(HUB, manager, "half")
    theirs = target.subscription_network_manager_connections.get(manager)
    for half in (ours, theirs):
        assert models.ScopeConnectionState(fields(half).connection_state).value == state


def test_deleting_a_targets_half_that_is_not_there_is_no_error(halves: Halves, emulator: Emulator, name: str) -> None:
    since = emulator.last_call()
    assert halves.delete(name) is None
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [204]


def test_a_subscription_is_its_tenants_alone(clients: Clients, name: str) -> None:
    client = clients.network(TARGET_SUBSCRIPTION, CENTRAL)
    with pytest.raises(ClientAuthenticationError) as refusal:
        client.subscription_network_manager_connections.create_or_update(name, manager_connection("any"))
    assert refusal.value.error.code == "InvalidAuthenticationTokenTenant"


def test_the_token_says_which_management_group_of_that_name(
    clients: Clients, target: NetworkManagementClient, name: str
) -> None:
    target.management_group_network_manager_connections.create_or_update(
        MANAGEMENT_GROUP, name, manager_connection("any")
    )
    # The other tenant has a group of the same name, and this application may do nothing there.
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL)
    with pytest.raises(HttpResponseError) as refusal:
        client.management_group_network_manager_connections.get(MANAGEMENT_GROUP, name)
    assert (refusal.value.status_code, refusal.value.error.code) == (403, "AuthorizationFailed")
