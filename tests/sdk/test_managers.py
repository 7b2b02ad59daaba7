"""Network managers: every operation, and its errors as the SDK's own exceptions."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient, models

from bodies import new_manager, scope_connection
from clients import eventually
from emulator import Emulator
from places import HUB, HUB_SUBSCRIPTION, OTHER, TARGET, TARGET_SUBSCRIPTION, manager, subscription


def test_made_read_and_deleted(hub: NetworkManagementClient, name: str) -> None:
    made = hub.network_managers.create_or_update(HUB, name, new_manager(description="first", tags={"env": "test"}))
    assert (made.id, made.name, made.type) == (manager(name), name, "Microsoft.Network/networkManagers")
    assert (made.description, made.tags, made.location) == ("first", {"env": "test"}, "eastus2")
    assert made.network_manager_scopes.subscriptions == [subscription(HUB_SUBSCRIPTION)]
    assert made.network_manager_scope_accesses == ["Connectivity", "SecurityAdmin"]

    assert hub.network_managers.get(HUB, name).resource_guid == made.resource_guid
    assert hub.network_managers.begin_delete(HUB, name).result() is None
    with pytest.raises(ResourceNotFoundError):
        hub.network_managers.get(HUB, name)


def test_a_put_replaces_what_it_does_not_send(hub: NetworkManagementClient, name: str) -> None:
    made = hub.network_managers.create_or_update(HUB, name, new_manager(description="first", tags={"env": "test"}))
    put = hub.network_managers.create_or_update(HUB, name, new_manager())
    assert (put.id, put.resource_guid) == (made.id, made.resource_guid)
    assert (put.description or "", put.tags) == ("", {})


def test_a_patch_changes_the_tags_and_nothing_else(hub: NetworkManagementClient, name: str) -> None:
    hub.network_managers.create_or_update(HUB, name, new_manager(description="stays", tags={"env": "test", "a": "1"}))
    patched = hub.network_managers.patch(HUB, name, models.PatchObject(tags={"env": "prod"}))
    assert patched.tags == {"env": "prod"}
    read = hub.network_managers.get(HUB, name)
    assert (read.tags, read.description, read.location) == ({"env": "prod"}, "stays", "eastus2")
    assert read.network_manager_scope_accesses == ["Connectivity", "SecurityAdmin"]


def test_an_access_more_is_updating_for_a_while(hub: NetworkManagementClient, name: str) -> None:
    first = hub.network_managers.create_or_update(HUB, name, new_manager(network_manager_scope_accesses=["Routing"]))
    assert first.provisioning_state == "Succeeded"
    more = new_manager(network_manager_scope_accesses=["Routing", "Connectivity"])
    # No long operation for the SDK to follow: the state tells, and nothing else.
    assert hub.network_managers.create_or_update(HUB, name, more).provisioning_state == "Updating"
    eventually(lambda: hub.network_managers.get(HUB, name).provisioning_state, lambda state: state == "Succeeded")


def test_a_patch_of_nothing(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.network_managers.patch(HUB, name, models.PatchObject(tags={}))
    assert refusal.value.error.code == "ResourceNotFound"


def test_names_do_not_care_for_case(hub: NetworkManagementClient, manager: str) -> None:
    assert hub.network_managers.get(HUB.upper(), manager.upper()).name == manager


def test_lists_of_a_group_and_of_the_subscription(hub: NetworkManagementClient, name: str) -> None:
    here, there = f"{name}-here", f"{name}-there"
    hub.network_managers.create_or_update(HUB, here, new_manager())
    hub.network_managers.create_or_update(OTHER, there, new_manager())
    in_group = [it.name for it in hub.network_managers.list(HUB)]
    in_subscription = [it.id for it in hub.network_managers.list_by_subscription()]
    assert here in in_group and there not in in_group
    assert {manager(here), manager(there, OTHER)} <= set(in_subscription)
    assert len(set(in_subscription)) == len(in_subscription)


def test_one_that_is_not_there(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.network_managers.get(HUB, name)
    assert refusal.value.status_code == 404
    assert refusal.value.error.code == "ResourceNotFound"
    assert f"networkManagers/{name}" in refusal.value.error.message


def test_a_resource_group_that_is_not_there(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.network_managers.create_or_update("no-such-group", name, new_manager())
    assert refusal.value.error.code == "ResourceGroupNotFound"


def test_without_a_location(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        hub.network_managers.create_or_update(HUB, name, new_manager(location=None))
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "LocationRequired")


def test_deleting_one_that_is_not_there_is_no_error(
    hub: NetworkManagementClient, emulator: Emulator, name: str
) -> None:
    since = emulator.last_call()
    assert hub.network_managers.begin_delete(HUB, name).result() is None
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [204]


def test_one_with_children_is_deleted_only_by_force(hub: NetworkManagementClient, manager: str) -> None:
    half = scope_connection(TARGET, subscription(TARGET_SUBSCRIPTION))
    hub.scope_connections.create_or_update(HUB, manager, "kept", half)
    with pytest.raises(ResourceExistsError) as refusal:
        hub.network_managers.begin_delete(HUB, manager)
    assert (refusal.value.status_code, refusal.value.error.code) == (409, "CannotDeleteResource")
    assert f"networkManagers/{manager}/scopeConnections/kept" in refusal.value.error.message

    hub.network_managers.begin_delete(HUB, manager, force=True).result()
    with pytest.raises(ResourceNotFoundError):
        hub.network_managers.get(HUB, manager)


def test_the_body_is_the_specifications(hub: NetworkManagementClient, emulator: Emulator, name: str) -> None:
    since = emulator.last_call()
    hub.network_managers.create_or_update(HUB, name, new_manager(description="sent"))
    (put,) = emulator.calls(since, method="PUT")
    assert put["requestBody"]["properties"] == {
        "description": "sent",
        "networkManagerScopes": {"subscriptions": [subscription(HUB_SUBSCRIPTION)]},
        "networkManagerScopeAccesses": ["Connectivity", "SecurityAdmin"],
    }
