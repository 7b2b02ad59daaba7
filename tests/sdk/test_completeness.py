"""Every operation that the SDK has for these types is driven by some test, also after the SDK is pinned anew."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from azure.mgmt.network import NetworkManagementClient

READ_ONLY = {"virtual_networks": {"get", "list", "list_all"}, "subnets": {"get", "list"}}
"""Of these the emulator offers reads alone; what changes them is not a network manager's."""
WHOLE = [
    "network_managers",
    "network_groups",
    "static_members",
    "scope_connections",
    "subscription_network_manager_connections",
    "management_group_network_manager_connections",
]


@pytest.mark.parametrize("group", [*WHOLE, *READ_ONLY])
def test_no_operation_is_left_out(hub: NetworkManagementClient, group: str) -> None:
    offered = {
        name for name, _ in inspect.getmembers(getattr(hub, group), inspect.ismethod) if not name.startswith("_")
    }
    wanted = READ_ONLY.get(group, offered)
    assert wanted <= offered
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    # An operation is called on its group, or on a variable that stands for it.
    aliases = set(re.findall(rf"(\w+(?:\.\w+)?) = \w+\.{group}\b", text)) | {group}
    called = {name for alias in aliases for name in re.findall(rf"\b{re.escape(alias)}\.(\w+)\b", text)}
    assert wanted - called == set()
