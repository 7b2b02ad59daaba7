"""Nothing on the wire is lost: every field that the SDK's model has and Azure sends arrives, in its type."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from azure.mgmt.network import NetworkManagementClient, models

from bodies import fields, manager_connection, new_manager, scope_connection
from clients import eventually, wire
from emulator import Emulator
from places import HUB, HUB_SUBSCRIPTION, NETWORK, TARGET, TARGET_SUBSCRIPTION, network, subscription

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RENAMED = {"virtualNetworkPeerings": "virtual_network_peerings", "enableDdosProtection": "enable_ddos_protection"}
UNKNOWN_TO_THE_SDK = {("staticMembers", "location")}
"""What Azure sends under a name that no model has."""


def snake(name: str) -> str:
    """The SDK's name of a field."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def assert_arrived(model: Any, sent: dict[str, Any], kind: str) -> None:
    """Every field of the JSON is in the model, under the SDK's name for it, and nothing was made None."""
    for name, value in sent.items():
        if name == "properties":
            assert_arrived(fields(model), value, kind)
        elif (kind, name) not in UNKNOWN_TO_THE_SDK:
            arrived = getattr(model, snake(name))
            if isinstance(value, dict) and name != "tags":
                assert_arrived(arrived, value, kind)
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                for one, its in zip(arrived, value):
                    assert_arrived(one, its, kind)
                assert len(arrived) == len(value)
            elif isinstance(arrived, datetime.datetime):
                assert arrived.strftime("%Y-%m-%dT%H:%M:%S.%f") == value[:26]
            else:
                assert arrived == value, name


def assert_authored(model: Any) -> None:
    """systemData tells who and when, and the times are times."""
    data = model.system_data
    assert (data.created_by, data.created_by_type) == (NETWORK.client_id, "Application")
    assert (data.last_modified_by, data.last_modified_by_type) == (NETWORK.client_id, "Application")
    now = datetime.datetime.now(datetime.timezone.utc)
    for moment in (data.created_at, data.last_modified_at):
        assert isinstance(moment, datetime.datetime)
        assert abs(now - moment) < datetime.timedelta(minutes=1)


def test_a_manager(hub: NetworkManagementClient, target: NetworkManagementClient, name: str) -> None:
    managers = hub.network_managers
    managers.create_or_update(HUB, name, new_manager(description="whole", tags={"env": "test", "owner": "us"}))
    hub.scope_connections.create_or_update(
        HUB, name, "half", scope_connection(TARGET, subscription(TARGET_SUBSCRIPTION))
    )
    target.subscription_network_manager_connections.create_or_update(name, manager_connection(name))
    model, sent = eventually(
        lambda: managers.get(HUB, name, cls=wire),
        lambda both: bool(both[1]["properties"]["networkManagerScopes"]["crossTenantScopes"]),
    )
    assert_arrived(model, sent, "networkManagers")
    assert_authored(model)
    assert model.etag and model.provisioning_state == "Succeeded"
    scopes = model.network_manager_scopes
    assert (scopes.subscriptions, scopes.management_groups) == ([subscription(HUB_SUBSCRIPTION)], [])
    assert scopes.cross_tenant_scopes[0].tenant_id == TARGET


def test_a_group(hub: NetworkManagementClient, manager: str, group: str) -> None:
    model, sent = hub.network_groups.get(HUB, manager, group, cls=wire)
    assert_arrived(model, sent, "networkGroups")
    assert_authored(model)
    assert model.etag and model.resource_guid and model.provisioning_state == "Succeeded"


def test_a_member(hub: NetworkManagementClient, manager: str, group: str) -> None:
    body = models.StaticMember(resource_id=network("centralVnet01", HUB_SUBSCRIPTION, HUB))
    hub.static_members.create_or_update(HUB, manager, group, "member", body)
    model, sent = hub.static_members.get(HUB, manager, group, "member", cls=wire)
    assert_arrived(model, sent, "staticMembers")
    assert_authored(model)
    assert model.etag


def test_both_halves(hub: NetworkManagementClient, target: NetworkManagementClient, manager: str) -> None:
    half = scope_connection(TARGET, subscription(TARGET_SUBSCRIPTION), "ours")
    hub.scope_connections.create_or_update(HUB, manager, "half", half)
    target.subscription_network_manager_connections.create_or_update(manager, manager_connection(manager, "theirs"))
    for model, sent in (
        hub.scope_connections.get(HUB, manager, "half", cls=wire),
        target.subscription_network_manager_connections.get(manager, cls=wire),
    ):
        assert_arrived(model, sent, "connections")
        assert_authored(model)
        assert model.etag is None, "recorded: connections have none"


def test_a_network_and_a_subnet(target: NetworkManagementClient) -> None:
    assert_arrived(*target.virtual_networks.get("temp", "targetVnet01", cls=wire), "virtualNetworks")
    assert_arrived(*target.subnets.get("temp", "targetVnet01", "app", cls=wire), "subnets")


def test_who_made_it_stays_when_another_changes_it(hub: NetworkManagementClient, manager: str, group: str) -> None:
    made = hub.network_groups.get(HUB, manager, group)
    hub.network_groups.create_or_update(HUB, manager, group, models.NetworkGroup(description="changed"))
    read = hub.network_groups.get(HUB, manager, group)
    assert read.system_data.created_at == made.system_data.created_at
    assert read.system_data.last_modified_at > made.system_data.last_modified_at
    assert read.etag != made.etag


@pytest.mark.parametrize("header", ["x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"])
def test_every_answer_can_be_found_again(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, header: str
) -> None:
    since = emulator.last_call()
    headers: dict[str, str] = {}
    hub.network_managers.get(HUB, manager, raw_response_hook=lambda it: headers.update(it.http_response.headers))
    (call,) = emulator.calls(since)
    assert call["correlationId"] in {name.lower(): value for name, value in headers.items()}[header]
