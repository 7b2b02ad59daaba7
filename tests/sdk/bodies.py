"""The SDK's models, filled in."""

from __future__ import annotations

from typing import Any

from azure.mgmt.network import models

from places import HUB_SUBSCRIPTION, manager, subscription


def new_manager(**fields: object) -> models.NetworkManager:
    """A network manager for the hub's subscription."""
    scopes = models.NetworkManagerPropertiesNetworkManagerScopes(subscriptions=[subscription(HUB_SUBSCRIPTION)])
    usual: dict[str, object] = {
        "location": "eastus2",
        "network_manager_scopes": scopes,
        "network_manager_scope_accesses": ["Connectivity", "SecurityAdmin"],
    }
    return models.NetworkManager(**{**usual, **fields})


def scope_connection(tenant: str, resource_id: str, description: str = "") -> models.ScopeConnection:
    """The manager's half."""
    return _connection("ScopeConnection", tenant_id=tenant, resource_id=resource_id, description=description)


def manager_connection(manager_name: str, description: str = "") -> models.NetworkManagerConnection:
    """The target's half, for a manager of the hub."""
    id = manager(manager_name)
    return _connection("NetworkManagerConnection", network_manager_id=id, description=description)


def fields(model: Any) -> Any:
    """Where the fields of a connection are. The SDK for Python 3.9 still has them on the connection itself; newer
    ones have them in `properties`, as the wire does.
    """
    return getattr(model, "properties", model)


def _connection(kind: str, **values: str) -> Any:
    properties = getattr(models, f"{kind}Properties", None)
    return getattr(models, kind)(**(values if properties is None else {"properties": properties(**values)}))
