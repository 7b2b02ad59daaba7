"""One emulator for each test module, and the clients of the two tenants.

Tests of a module share the emulator and nothing in it: each makes what it needs under names of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.mgmt.network import NetworkManagementClient, models

from bodies import new_manager
from clients import Clients
from emulator import PAGE_SIZE, Emulator, running
from places import CENTRAL, HUB, HUB_SUBSCRIPTION, TARGET, TARGET_SUBSCRIPTION

# Long enough for the states in between to be seen, short enough not to wait for.
OPTIONS = ("--page-size", str(PAGE_SIZE), "--pairing-delay-ms", "300-500", "--member-delay-ms", "300-500")


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends the run as Ctrl-C does, so that the emulator is stopped too."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A fresh emulator."""
    folder: Path = tmp_path_factory.mktemp("emulator")
    with running(folder, *OPTIONS) as started:
        started.control("POST", "/settings", {"operationDelayMs": {"min": 300, "max": 500}})
        yield started


@pytest.fixture(autouse=True)
def no_faults_left(emulator: Emulator) -> Iterator[None]:
    """What a test breaks is whole again for the next one."""
    yield
    emulator.control("DELETE", "/faults")


@pytest.fixture(scope="module")
def clients(emulator: Emulator) -> Iterator[Clients]:
    """Makes clients."""
    factory = Clients(emulator)
    yield factory
    factory.close()


@pytest.fixture(scope="module")
def hub(clients: Clients) -> NetworkManagementClient:
    """The manager's side, with the token of its own tenant alone."""
    return clients.network(HUB_SUBSCRIPTION, CENTRAL)


@pytest.fixture(scope="module")
def hub_for_both(clients: Clients) -> NetworkManagementClient:
    """The manager's side with the target tenant's token as auxiliary: what a member of another tenant needs."""
    return clients.network(HUB_SUBSCRIPTION, CENTRAL, auxiliary=(TARGET,))


@pytest.fixture(scope="module")
def target(clients: Clients) -> NetworkManagementClient:
    """The target's side."""
    return clients.network(TARGET_SUBSCRIPTION, TARGET)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:60]


@pytest.fixture
def manager(hub: NetworkManagementClient, name: str) -> str:
    """The name of a network manager of this test's own."""
    hub.network_managers.create_or_update(HUB, name, new_manager())
    return name


@pytest.fixture
def group(hub: NetworkManagementClient, manager: str) -> str:
    """The name of a network group of this test's own; its manager has the name of the fixture `manager`."""
    hub.network_groups.create_or_update(HUB, manager, "group", models.NetworkGroup(description="of a test"))
    return "group"
