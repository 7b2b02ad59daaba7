"""Lists of several pages: the SDK follows nextLink by itself, and sees every item once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import parse_qs

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient, models

from bodies import manager_connection, new_manager, scope_connection
from emulator import PAGE_SIZE, Emulator
from places import HUB, HUB_SUBSCRIPTION, MANAGEMENT_GROUP, OTHER, TARGET, network, subscription

NAMES = [f"item-{number:02}" for number in range(7)]
"""Two whole pages and one more."""


@dataclass
class Listing:
    """A list that holds at least NAMES, and where the ledger shows its reads."""

    list: Callable[..., Any]
    path: str


@pytest.fixture(scope="module")
def listings(hub: NetworkManagementClient, target: NetworkManagementClient) -> dict[str, Listing]:
    """Every list that takes `top`, filled."""
    hub.network_managers.create_or_update(HUB, "pages", new_manager())
    hub.network_groups.create_or_update(HUB, "pages", "members", models.NetworkGroup())
    of_subscription = target.subscription_network_manager_connections
    of_group = target.management_group_network_manager_connections
    own = network("centralVnet01", HUB_SUBSCRIPTION, HUB)
    for name in NAMES:
        hub.network_managers.create_or_update(OTHER, name, new_manager())
        hub.network_groups.create_or_update(HUB, "pages", name, models.NetworkGroup())
        hub.static_members.create_or_update(HUB, "pages", "members", name, models.StaticMember(resource_id=own))
        half = scope_connection(TARGET, subscription(f"00000000-0000-0000-0000-0000000000{name[-2:]}"))
        hub.scope_connections.create_or_update(HUB, "pages", name, half)
        of_subscription.create_or_update(name, manager_connection(name))
        of_group.create_or_update(MANAGEMENT_GROUP, name, manager_connection(name))
    return {
        "managers": Listing(lambda **to: hub.network_managers.list(OTHER, **to), f"/{OTHER}/"),
        "managers of a subscription": Listing(hub.network_managers.list_by_subscription, "/networkManagers"),
        "groups": Listing(lambda **to: hub.network_groups.list(HUB, "pages", **to), "/networkGroups"),
        "members": Listing(lambda **to: hub.static_members.list(HUB, "pages", "members", **to), "/staticMembers"),
        "scope connections": Listing(lambda **to: hub.scope_connections.list(HUB, "pages", **to), "/scopeConnections"),
        "subscription's halves": Listing(of_subscription.list, "/subscriptions/"),
        "management group's halves": Listing(lambda **to: of_group.list(MANAGEMENT_GROUP, **to), "/managementGroups/"),
    }


ALL = [
    "managers",
    "managers of a subscription",
    "groups",
    "members",
    "scope connections",
    "subscription's halves",
    "management group's halves",
]
FILTERS = [None, 5, 20]


@pytest.mark.parametrize("top", FILTERS, ids=["page size", "top 5", "top 20"])
@pytest.mark.parametrize("which", ALL)
def test_every_item_comes_once_over_as_many_pages_as_it_takes(
    listings: dict[str, Listing], emulator: Emulator, which: str, top: int | None
) -> None:
    listing = listings[which]
    since = emulator.last_call()
    names = [it.name for it in listing.list(**({} if top is None else {"top": top}))]
    assert set(NAMES) <= set(names)
    assert len(set(names)) == len(names)
    reads = emulator.calls(since, method="GET", path=listing.path)
    assert len(reads) == math.ceil(len(names) / (top or PAGE_SIZE))
    # A link carries on what was asked for, and each page has a place of its own.
    queries = [parse_qs(read["query"]) for read in reads]
    assert {query.get("$top", [""])[0] for query in queries} == {"" if top is None else str(top)}
    assert len({query["api-version"][0] for query in queries}) == 1
    places = [query.get("$skipToken", [""])[0] for query in queries]
    assert places[0] == "" and len(set(places)) == len(places)


@pytest.mark.parametrize("which", ALL)
def test_a_page_may_be_asked_for_alone(listings: dict[str, Listing], which: str) -> None:
    first = next(listings[which].list(top=2).by_page())
    assert len(list(first)) == 2


@pytest.mark.parametrize("which", ALL)
def test_a_list_is_taken_up_again_where_it_was_left(listings: dict[str, Listing], which: str) -> None:
    whole = [it.name for it in listings[which].list()]
    pages = listings[which].list().by_page()
    begun = [it.name for it in next(pages)]
    rest = listings[which].list().by_page(pages.continuation_token)
    assert begun + [it.name for page in rest for it in page] == whole


@pytest.mark.parametrize("top", [0, 21])
def test_a_page_has_between_one_and_twenty_items(listings: dict[str, Listing], top: int) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        list(listings["groups"].list(top=top))
    assert refusal.value.status_code == 400


def test_what_is_deleted_meanwhile_shifts_nothing(listings: dict[str, Listing], hub: NetworkManagementClient) -> None:
    hub.network_managers.create_or_update(HUB, "shifting", new_manager())
    for name in NAMES:
        hub.network_groups.create_or_update(HUB, "shifting", name, models.NetworkGroup())
    seen = []
    for item in hub.network_groups.list(HUB, "shifting"):
        seen.append(item.name)
        if len(seen) == 1:
            hub.network_groups.begin_delete(HUB, "shifting", NAMES[0]).result()
    assert seen == NAMES
