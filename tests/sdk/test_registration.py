"""A subscription without Microsoft.Network: azure-mgmt-core registers it by itself and sends the call again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.mgmt.network import NetworkManagementClient

from bodies import fields, manager_connection
from clients import Clients
from emulator import Emulator
from places import LOOKER, TARGET, TARGET_SUBSCRIPTION, subscription


@pytest.fixture(autouse=True)
def unregistered(emulator: Emulator) -> Iterator[None]:
    """The target's subscription is not registered."""
    scope = subscription(TARGET_SUBSCRIPTION)
    emulator.control("POST", "/registrations", {"scope": scope, "registered": False})
    yield
    emulator.control("POST", "/registrations", {"scope": scope, "registered": True})


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits for ten seconds between two looks at a registration, and nothing sets that: here it waits less."""
    wait = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: wait(min(seconds, 0.1)))


def test_the_sdk_registers_and_goes_on(
    target: NetworkManagementClient, emulator: Emulator, name: str, impatience: None
) -> None:
    since = emulator.last_call()
    made = target.subscription_network_manager_connections.create_or_update(name, manager_connection("any"))
    assert fields(made).connection_state == "Pending"
    calls = [(call["method"], call["status"], call.get("code")) for call in emulator.calls(since)]
    assert calls[:2] == [("PUT", 409, "MissingSubscriptionRegistration"), ("POST", 200, None)]
    assert calls[-1] == ("PUT", 200, None)
    assert len(calls) > 3 and set(calls[2:-1]) == {("GET", 200, None)}


def test_who_may_not_register_sees_why_it_was_refused(clients: Clients, emulator: Emulator, name: str) -> None:
    edit = {"op": "addRole", "clientId": LOOKER.client_id, "tenant": TARGET, "scope": subscription(TARGET_SUBSCRIPTION)}
    emulator.control("POST", "/entra", {**edit, "actions": ["Microsoft.Network/networkManagerConnections/write"]})
    looker = clients.network(TARGET_SUBSCRIPTION, TARGET, LOOKER)
    since = emulator.last_call()
    with pytest.raises(ResourceExistsError) as refusal:
        looker.subscription_network_manager_connections.create_or_update(name, manager_connection("any"))
    assert (refusal.value.status_code, refusal.value.error.code) == (409, "MissingSubscriptionRegistration")
    assert [(call["method"], call["status"]) for call in emulator.calls(since)] == [("PUT", 409), ("POST", 403)]


def test_reading_needs_no_registration(target: NetworkManagementClient) -> None:
    assert list(target.virtual_networks.list_all())
