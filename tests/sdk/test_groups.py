"""Network groups: every operation, and its errors as the SDK's own exceptions."""

from __future__ import annotations

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient, models
from azure.mgmt.network.operations import NetworkGroupsOperations

from emulator import Emulator
from places import HUB
from places import manager as manager_id


def test_made_updated_read_and_deleted(hub: NetworkManagementClient, manager: str) -> None:
    groups = hub.network_groups
    made = groups.create_or_update(HUB, manager, "mine", models.NetworkGroup(description="first"))
    assert (made.id, made.name) == (f"{manager_id(manager)}/networkGroups/mine", "mine")
    assert made.type == "Microsoft.Network/networkManagers/networkGroups"
    assert (made.description, made.member_type) == ("first", "VirtualNetwork")

    updated = groups.create_or_update(HUB, manager, "mine", models.NetworkGroup(description="second"))
    assert (updated.resource_guid, updated.description) == (made.resource_guid, "second")
    assert groups.get(HUB, manager, "mine").description == "second"

    assert groups.begin_delete(HUB, manager, "mine").result() is None
    with pytest.raises(ResourceNotFoundError):
        groups.get(HUB, manager, "mine")


def test_a_group_of_subnets_stays_one(hub: NetworkManagementClient, manager: str) -> None:
    body = models.NetworkGroup(member_type="Subnet")
    assert hub.network_groups.create_or_update(HUB, manager, "subnets", body).member_type == "Subnet"
    with pytest.raises(HttpResponseError) as refusal:
        body = models.NetworkGroup(member_type="VirtualNetwork")
        hub.network_groups.create_or_update(HUB, manager, "subnets", body)
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "BadRequest")


def test_a_list_is_of_one_manager(hub: NetworkManagementClient, manager: str, group: str) -> None:
    assert [it.name for it in hub.network_groups.list(HUB, manager)] == [group]


def test_one_that_is_not_there(hub: NetworkManagementClient, manager: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.network_groups.get(HUB, manager, "none")
    assert refusal.value.error.code == "NotFound"


def test_a_manager_that_is_not_there(hub: NetworkManagementClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.network_groups.create_or_update(HUB, name, "any", models.NetworkGroup())
    assert refusal.value.error.code == "ParentResourceNotFound"


def test_deleting_one_that_is_not_there_is_no_error(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    since = emulator.last_call()
    assert hub.network_groups.begin_delete(HUB, manager, "none").result() is None
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [204]


def test_a_put_for_another_version_changes_nothing(hub: NetworkManagementClient, manager: str, group: str) -> None:
    stale = hub.network_groups.get(HUB, manager, group).etag
    assert stale
    newer = models.NetworkGroup(description="newer")
    hub.network_groups.create_or_update(HUB, manager, group, newer)
    # One header, and the SDK has changed what it calls it.
    new_form = {"etag": stale, "match_condition": MatchConditions.IfNotModified}
    old_form = {"if_match": stale}
    condition = old_form if "if_match" in NetworkGroupsOperations.create_or_update.__annotations__ else new_form
    with pytest.raises(HttpResponseError) as refusal:
        hub.network_groups.create_or_update(HUB, manager, group, models.NetworkGroup(description="mine"), **condition)
    assert refusal.value.status_code == 412
    assert hub.network_groups.get(HUB, manager, group).description == "newer"
