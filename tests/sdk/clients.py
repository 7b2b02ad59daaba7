"""Microsoft's clients, unchanged: only endpoint, authority and certificate authority are set."""

from __future__ import annotations

import time
from typing import Any, Callable, TypeVar

from azure.identity import ClientSecretCredential
from azure.mgmt.core.policies import AuxiliaryAuthenticationPolicy
from azure.mgmt.network import NetworkManagementClient

from emulator import Emulator
from places import NETWORK, App

T = TypeVar("T")

SCOPE = "https://management.azure.com/.default"
POLLING_INTERVAL = 0.1
"""Between two polls of a long operation that names no interval itself. The SDK's own is half a minute."""


class Clients:
    """Makes clients for one emulator and closes them all at the end."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._open: list[Any] = []

    def credential(self, tenant: str, app: App = NETWORK, secret: str | None = None) -> ClientSecretCredential:
        """What a service principal signs in with."""
        made = ClientSecretCredential(
            tenant,
            app.client_id,
            secret or app.secret,
            authority=self._emulator.authority,
            disable_instance_discovery=True,
            connection_verify=self._emulator.ca,
        )
        self._open.append(made)
        return made

    def network(
        self, subscription: str, tenant: str, app: App = NETWORK, auxiliary: tuple[str, ...] = (), **options: Any
    ) -> NetworkManagementClient:
        """A client for one subscription. Each auxiliary tenant's token rides along, by the SDK's own policy."""
        if auxiliary:
            others = [self.credential(tenant, app) for tenant in auxiliary]
            options["per_retry_policies"] = [AuxiliaryAuthenticationPolicy(others, SCOPE)]
        options.setdefault("credential", self.credential(tenant, app))
        made = NetworkManagementClient(
            subscription_id=subscription,
            base_url=self._emulator.arm,
            connection_verify=self._emulator.ca,
            polling_interval=POLLING_INTERVAL,
            **options,
        )
        self._open.append(made)
        return made

    def close(self) -> None:
        """Closes all that were made."""
        for made in self._open:
            made.close()


def wire(response: Any, model: Any, _headers: Any) -> tuple[Any, dict[str, Any]]:
    """For an operation's `cls=`, the SDK's way to see both: the model, and the JSON that it was made of."""
    return model, response.http_response.json()


def eventually(read: Callable[[], T], done: Callable[[T], bool], within: float = 8.0) -> T:
    """Reads until it is so, and fails with what it was last."""
    deadline = time.monotonic() + within
    while True:
        last = read()
        if done(last):
            return last
        assert time.monotonic() < deadline, f"after {within} s it is still {last}"
        time.sleep(0.05)
