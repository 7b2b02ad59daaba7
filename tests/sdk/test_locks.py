"""Locks that somebody put on a scope: the SDK sees a conflict, and the thing stays as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.mgmt.network import NetworkManagementClient, models

from emulator import Emulator
from places import HUB
from places import manager as manager_id


@pytest.fixture(autouse=True)
def no_locks_left(emulator: Emulator) -> Iterator[None]:
    """A lock ends with its test."""
    yield
    emulator.control("DELETE", "/locks")


def test_what_may_not_be_deleted_may_be_changed(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    emulator.control("POST", "/locks", {"scope": manager_id(manager), "level": "CanNotDelete"})
    with pytest.raises(ResourceExistsError) as refusal:
        hub.network_groups.begin_delete(HUB, manager, group)
    assert (refusal.value.status_code, refusal.value.error.code) == (409, "ScopeLocked")
    hub.network_groups.create_or_update(HUB, manager, group, models.NetworkGroup(description="changed"))
    assert hub.network_groups.get(HUB, manager, group).description == "changed"


def test_what_is_read_only_may_only_be_read(
    hub: NetworkManagementClient, emulator: Emulator, manager: str, group: str
) -> None:
    emulator.control("POST", "/locks", {"scope": manager_id(manager), "level": "ReadOnly"})
    for write in (
        lambda: hub.network_managers.patch(HUB, manager, models.PatchObject(tags={"env": "prod"})),
        lambda: hub.network_groups.create_or_update(HUB, manager, group, models.NetworkGroup(description="changed")),
    ):
        with pytest.raises(ResourceExistsError) as refusal:
            write()
        assert refusal.value.error.code == "ScopeLocked"
    assert hub.network_managers.get(HUB, manager).tags == {}
    assert hub.network_groups.get(HUB, manager, group).description == "of a test"
