"""Static members of the manager's own tenant: every operation. Those of another tenant are in test_auxiliary.py."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient, models

from clients import eventually, wire
from emulator import Emulator
from places import HUB, HUB_SUBSCRIPTION, network
from places import manager as manager_id

CENTRAL_NETWORK = network("centralVnet01", HUB_SUBSCRIPTION, HUB)


def test_made_updating_then_succeeded_and_deleted(hub: NetworkManagementClient, manager: str, group: str) -> None:
    members = hub.static_members
    body = models.StaticMember(resource_id=CENTRAL_NETWORK)
    made = members.create_or_update(HUB, manager, group, "mine", body)
    assert (made.id, made.name) == (f"{manager_id(manager)}/networkGroups/{group}/staticMembers/mine", "mine")
    assert made.type == "Microsoft.Network/networkManagers/networkGroups/staticMembers"
    assert (made.resource_id, made.provisioning_state) == (CENTRAL_NETWORK, "Updating")

    eventually(lambda: members.get(HUB, manager, group, "mine").provisioning_state, lambda state: state == "Succeeded")
    assert [it.name for it in members.list(HUB, manager, group)] == ["mine"]

    assert members.delete(HUB, manager, group, "mine") is None
    with pytest.raises(ResourceNotFoundError):
        members.get(HUB, manager, group, "mine")


def test_the_region_is_on_the_wire_under_a_name_that_the_model_lacks(
    hub: NetworkManagementClient, manager: str, group: str
) -> None:
    hub.static_members.create_or_update(HUB, manager, group, "mine", models.StaticMember(resource_id=CENTRAL_NETWORK))
    model, sent = eventually(
        lambda: hub.static_members.get(HUB, manager, group, "mine", cls=wire),
        lambda both: both[0].provisioning_state == "Succeeded",
    )
    # The specification says region, and so does the SDK; every recording of Azure says location.
    assert sent["properties"]["location"] == "eastus2"
    assert model.region is None


def test_one_that_azure_cannot_bring_in(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    emulator.add_fault({"method": "PUT", "pathContains": f"{manager}/networkGroups/{group}/"}, {"failMember": True})
    hub.static_members.create_or_update(HUB, manager, group, "bad", models.StaticMember(resource_id=CENTRAL_NETWORK))
    read = eventually(
        lambda: hub.static_members.get(HUB, manager, group, "bad"), lambda it: it.provisioning_state != "Updating"
    )
    assert read.provisioning_state == "Failed"


def test_a_resource_id_that_is_none(hub: NetworkManagementClient, manager: str, group: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        hub.static_members.create_or_update(HUB, manager, group, "bad", models.StaticMember(resource_id="nothing"))
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "LinkedInvalidPropertyId")


def test_a_subnet_is_not_for_a_group_of_networks(hub: NetworkManagementClient, manager: str, group: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        body = models.StaticMember(resource_id=f"{CENTRAL_NETWORK}/subnets/default")
        hub.static_members.create_or_update(HUB, manager, group, "bad", body)
    assert (refusal.value.status_code, refusal.value.error.code) == (400, "BadRequest")


def test_one_that_is_not_there(hub: NetworkManagementClient, manager: str, group: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.static_members.get(HUB, manager, group, "none")
    assert refusal.value.error.code == "NotFound"


def test_a_group_that_is_not_there(hub: NetworkManagementClient, manager: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        hub.static_members.list(HUB, manager, "none").next()
    assert refusal.value.error.code == "ParentResourceNotFound"


def test_deleting_one_that_is_not_there_is_no_error(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    since = emulator.last_call()
    assert hub.static_members.delete(HUB, manager, group, "none") is None
    assert [call["status"] for call in emulator.calls(since, method="DELETE")] == [204]
