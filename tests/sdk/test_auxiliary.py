"""The auxiliary tenant: azure-mgmt-core's own policy brings the second token that a foreign member needs."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.mgmt.core.policies import AuxiliaryAuthenticationPolicy
from azure.mgmt.network import NetworkManagementClient, models

from clients import SCOPE, Clients, eventually
from emulator import Emulator
from places import CENTRAL, HUB, HUB_SUBSCRIPTION, LOOKER, NETWORK, TARGET, network

FOREIGN = models.StaticMember(resource_id=network("targetVnet01"))


def test_with_the_target_tenants_token_it_is_made(
    hub_for_both: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    since = emulator.last_call()
    made = hub_for_both.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    assert made.provisioning_state == "Updating"
    eventually(
        lambda: hub_for_both.static_members.get(HUB, manager, group, "foreign").provisioning_state,
        lambda state: state == "Succeeded",
    )
    (put,) = emulator.calls(since, method="PUT")
    assert (put["bearerTenant"], put["principal"]) == (CENTRAL, NETWORK.client_id)
    assert (put["auxiliaryTenants"], put["auxiliaryPrincipals"]) == ([TARGET], [NETWORK.client_id])


def test_a_subnet_of_the_target_tenant(hub_for_both: NetworkManagementClient, manager: str) -> None:
    hub_for_both.network_groups.create_or_update(HUB, manager, "subnets", models.NetworkGroup(member_type="Subnet"))
    body = models.StaticMember(resource_id=f"{network('targetVnet01')}/subnets/app")
    made = hub_for_both.static_members.create_or_update(HUB, manager, "subnets", "app", body)
    assert made.resource_id == body.resource_id


def test_without_it_the_linked_network_is_out_of_reach(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    since = emulator.last_call()
    with pytest.raises(HttpResponseError) as refusal:
        hub.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    assert (refusal.value.status_code, refusal.value.error.code) == (403, "LinkedAuthorizationFailed")
    assert f"the current tenant '{CENTRAL}' is not authorized" in refusal.value.error.message
    assert [call["auxiliaryTenants"] for call in emulator.calls(since, method="PUT")] == [[]]


def test_the_wrong_auxiliary_tenant_is_as_good_as_none(clients: Clients, manager: str, group: str) -> None:
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, auxiliary=(CENTRAL,))
    with pytest.raises(HttpResponseError) as refusal:
        client.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    assert refusal.value.error.code == "LinkedAuthorizationFailed"


def test_a_token_without_a_role_on_the_network_is_told_so(clients: Clients, manager: str, group: str) -> None:
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, LOOKER, auxiliary=(TARGET,))
    with pytest.raises(HttpResponseError) as refusal:
        client.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    assert refusal.value.error.code == "LinkedAuthorizationFailed"
    assert "Microsoft.Network/virtualNetworks/write" in refusal.value.error.message
    assert LOOKER.client_id in refusal.value.error.message


def test_the_second_token_must_be_of_the_same_application(clients: Clients, manager: str, group: str) -> None:
    other = AuxiliaryAuthenticationPolicy([clients.credential(TARGET, LOOKER)], SCOPE)
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, per_retry_policies=[other])
    with pytest.raises(ClientAuthenticationError) as refusal:
        client.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    assert refusal.value.error.code == "InvalidAuxiliaryTokens"


def test_deleting_a_foreign_member_needs_no_second_token(
    hub: NetworkManagementClient, hub_for_both: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    hub_for_both.static_members.create_or_update(HUB, manager, group, "foreign", FOREIGN)
    since = emulator.last_call()
    hub.static_members.delete(HUB, manager, group, "foreign")
    assert [(call["status"], call["auxiliaryTenants"]) for call in emulator.calls(since, method="DELETE")] == [
        (200, [])
    ]
