"""Deletes that Azure accepts with 202: the SDK's own poller follows Location to the end."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient, models

from bodies import new_manager
from emulator import Emulator
from places import HUB, HUB_SUBSCRIPTION, network


@pytest.fixture
def used_group(hub: NetworkManagementClient, manager: str, group: str) -> str:
    """A group that had a member once, and so takes its time to go."""
    body = models.StaticMember(resource_id=network("centralVnet01", HUB_SUBSCRIPTION, HUB))
    hub.static_members.create_or_update(HUB, manager, group, "member", body)
    hub.static_members.delete(HUB, manager, group, "member")
    return group


def test_a_group_that_had_members(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, used_group: str
) -> None:
    since = emulator.last_call()
    poller = hub.network_groups.begin_delete(HUB, manager, used_group)
    assert not poller.done() and poller.status() == "InProgress"
    assert poller.result() is None
    assert poller.status() == "Succeeded"
    (delete,) = emulator.calls(since, method="DELETE")
    polls = [call["status"] for call in emulator.calls(since, method="GET", path="/operationResults/")]
    assert delete["status"] == 202
    assert polls[-1] == 204 and set(polls[:-1]) == {202}
    with pytest.raises(ResourceNotFoundError):
        hub.network_groups.get(HUB, manager, used_group)


def test_each_poll_goes_where_the_last_one_said(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, used_group: str
) -> None:
    since = emulator.last_call()
    hub.network_groups.begin_delete(HUB, manager, used_group).result()
    queries = [call["query"] for call in emulator.calls(since, method="GET", path="/operationResults/")]
    assert len(queries) > 1 and len(set(queries)) == len(queries)


def test_a_poller_is_taken_up_again_by_another_client(
    hub: NetworkManagementClient, hub_for_both: NetworkManagementClient, manager: str, used_group: str
) -> None:
    token = hub.network_groups.begin_delete(HUB, manager, used_group, polling=True).continuation_token()
    again = hub_for_both.network_groups.begin_delete(HUB, manager, used_group, continuation_token=token)
    again.result()
    assert again.status() == "Succeeded"


def test_a_group_that_never_had_any_goes_at_once(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    since = emulator.last_call()
    poller = hub.network_groups.begin_delete(HUB, manager, group)
    poller.result()
    assert poller.status() == "Succeeded"
    assert [call["status"] for call in emulator.calls(since)] == [200]


def test_a_manager_that_azure_takes_its_time_over(hub: NetworkManagementClient, emulator: Emulator, name: str) -> None:
    hub.network_managers.create_or_update(HUB, name, new_manager())
    since = emulator.last_call()
    with emulator.settings(managerDelete="accepted"):
        poller = hub.network_managers.begin_delete(HUB, name)
        # Recorded: the manager is gone, and so is what its operation was to be asked at. The SDK takes that for a
        # failure; only the next read tells that it was none.
        with pytest.raises(HttpResponseError) as refusal:
            poller.result()
    assert refusal.value.status_code == 404
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [202]
    with pytest.raises(ResourceNotFoundError):
        hub.network_managers.get(HUB, name)
