"""429 and worse: the SDK's own retry policy against the emulator's Retry-After, and against its faults."""

from __future__ import annotations

import time

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient, models

from emulator import Emulator
from places import HUB

TOO_MANY = {
    "status": 429,
    "code": "TooManyRequests",
    "message": "The request was throttled.",
    "headers": {"Retry-After": "1"},
}


def test_a_call_that_is_throttled_waits_and_succeeds(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    emulator.add_fault({"kind": "arm", "method": "GET", "pathContains": manager, "times": 1}, TOO_MANY)
    since, start = emulator.last_call(), time.monotonic()
    assert hub.network_managers.get(HUB, manager).name == manager
    assert time.monotonic() - start >= 1
    assert [call["status"] for call in emulator.calls(since, method="GET")] == [429, 200]


def test_a_write_that_is_throttled_is_sent_again_whole(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    emulator.add_fault({"kind": "arm", "method": "PUT", "pathContains": manager, "times": 1}, TOO_MANY)
    since = emulator.last_call()
    body = models.NetworkGroup(description="sent twice")
    assert hub.network_groups.create_or_update(HUB, manager, "again", body).description == "sent twice"
    first, second = emulator.calls(since, method="PUT")
    assert (first["status"], second["status"]) == (429, 200)
    assert first["requestBody"] == second["requestBody"]


def test_who_does_not_wait_sees_the_error_and_how_long(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    emulator.add_fault({"kind": "arm", "method": "GET", "pathContains": manager}, TOO_MANY)
    with pytest.raises(HttpResponseError) as refusal:
        hub.network_managers.get(HUB, manager, retry_total=0)
    assert (refusal.value.status_code, refusal.value.error.code) == (429, "TooManyRequests")
    assert refusal.value.response.headers["Retry-After"] == "1"


def test_a_real_quota_says_how_long_to_wait(hub: NetworkManagementClient, emulator: Emulator, manager: str) -> None:
    with emulator.settings(quotas={"writes": {"size": 1, "refillPerSecond": 1}}):
        since = emulator.last_call()
        for group in ("one", "two"):
            hub.network_groups.create_or_update(HUB, manager, group, models.NetworkGroup())
    assert [call["status"] for call in emulator.calls(since, method="PUT")] == [200, 429, 200]


def test_a_connection_that_is_cut_after_the_effect(
    hub: NetworkManagementClient, emulator: Emulator, manager: str
) -> None:
    emulator.add_fault({"kind": "arm", "method": "PUT", "pathContains": manager, "times": 1}, {"cutAfter": True})
    since = emulator.last_call()
    made = hub.network_groups.create_or_update(HUB, manager, "cut", models.NetworkGroup(description="kept"))
    assert made.description == "kept"
    first, second = emulator.calls(since, method="PUT")
    assert (first["status"], first["effect"], second["status"]) == (None, 200, 200)


def test_a_gateway_that_answers_html(hub: NetworkManagementClient, emulator: Emulator, manager: str) -> None:
    emulator.add_fault({"kind": "arm", "method": "GET", "pathContains": manager}, {"html": True})
    with pytest.raises(HttpResponseError) as refusal:
        hub.network_managers.get(HUB, manager, retry_total=0)
    assert refusal.value.status_code == 502


def test_a_byte_order_mark_before_the_json(hub: NetworkManagementClient, emulator: Emulator, manager: str) -> None:
    emulator.add_fault({"kind": "arm", "method": "GET", "pathContains": manager, "times": 1}, {"bom": True})
    assert hub.network_managers.get(HUB, manager).name == manager
