"""Virtual networks and their subnets, as far as a network manager's tools read them."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient

from clients import Clients
from places import GROUPED_SUBSCRIPTION, TARGET, network


def test_one_network_with_its_subnets(target: NetworkManagementClient) -> None:
    read = target.virtual_networks.get("temp", "targetVnet01")
    assert (read.id, read.type) == (network("targetVnet01"), "Microsoft.Network/virtualNetworks")
    assert (read.location, read.tags, read.provisioning_state) == ("westeurope", {"env": "prod"}, "Succeeded")
    assert read.address_space.address_prefixes == ["10.7.0.0/16"]
    assert [(it.name, it.address_prefix) for it in read.subnets] == [("default", "10.7.0.0/24"), ("app", "10.7.1.0/24")]
    assert read.virtual_network_peerings == [] and read.enable_ddos_protection is False
    assert read.etag.startswith('W/"')


def test_lists_of_a_group_and_of_the_subscription(target: NetworkManagementClient) -> None:
    assert [it.name for it in target.virtual_networks.list("temp")] == ["targetVnet01", "targetVnet02"]
    everywhere = sorted(it.name for it in target.virtual_networks.list_all())
    assert everywhere == ["targetVnet01", "targetVnet02", "targetVnet03"]


def test_a_role_at_the_management_group_reaches_its_subscription(clients: Clients) -> None:
    client = clients.network(GROUPED_SUBSCRIPTION, TARGET)
    assert [it.id for it in client.virtual_networks.list_all()] == [network("groupVnet01", GROUPED_SUBSCRIPTION)]


def test_subnets(target: NetworkManagementClient) -> None:
    read = target.subnets.get("temp", "targetVnet01", "app")
    assert (read.id, read.address_prefix) == (f"{network('targetVnet01')}/subnets/app", "10.7.1.0/24")
    assert (read.provisioning_state, read.delegations) == ("Succeeded", [])
    assert [it.name for it in target.subnets.list("temp", "targetVnet01")] == ["default", "app"]


def test_a_network_that_is_not_there(target: NetworkManagementClient) -> None:
    for read in (
        lambda: target.virtual_networks.get("temp", "none"),
        lambda: target.subnets.get("temp", "none", "default"),
        lambda: list(target.subnets.list("temp", "none")),
    ):
        with pytest.raises(ResourceNotFoundError) as refusal:
            read()
        assert refusal.value.error.code == "ResourceNotFound"


def test_a_subnet_that_is_not_there(target: NetworkManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        target.subnets.get("temp", "targetVnet01", "none")
    assert refusal.value.error.code == "NotFound"
