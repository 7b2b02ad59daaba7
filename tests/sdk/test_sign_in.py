"""azure-identity against Entra's half of the emulator, and what ARM says to a token that is not good."""

from __future__ import annotations

import time

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from clients import SCOPE, Clients
from emulator import Emulator
from places import CENTRAL, HUB_SUBSCRIPTION, LOOKER, NETWORK, STRANGER, TARGET, TARGET_SUBSCRIPTION, App


class Fixed:
    """A credential that has one token, and it is not of this emulator."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """The token."""
        return AccessToken("eyJhbGciOiJub25lIn0.e30.", int(time.time()) + 3600)


@pytest.mark.parametrize("tenant", [CENTRAL, TARGET])
def test_a_secret_gets_a_token_of_either_tenant(clients: Clients, emulator: Emulator, tenant: str) -> None:
    since = emulator.last_call()
    token = clients.credential(tenant).get_token(SCOPE)
    assert 3000 < token.expires_on - time.time() <= 3600
    asked = emulator.calls(since, kind="token", method="POST")
    assert [(call["tenant"], call["clientId"], call["status"]) for call in asked] == [(tenant, NETWORK.client_id, 200)]


def test_a_token_is_kept_and_not_asked_for_again(clients: Clients, emulator: Emulator) -> None:
    credential = clients.credential(CENTRAL)
    first = credential.get_token(SCOPE)
    since = emulator.last_call()
    assert credential.get_token(SCOPE).token == first.token
    assert emulator.calls(since, kind="token") == []


@pytest.mark.parametrize(
    ("tenant", "app", "secret", "code"),
    [
        (CENTRAL, NETWORK, "not the secret", "AADSTS7000215"),
        (CENTRAL, NETWORK, "emulator-secret-of-last-year", "AADSTS7000222"),
        (CENTRAL, App("99999999-1111-2222-3333-444444444444", "any"), None, "AADSTS700016"),
        (TARGET, STRANGER, None, "AADSTS700016"),
    ],
    ids=["wrong secret", "expired secret", "unknown application", "no consent"],
)
def test_entras_refusals_name_their_code(
    clients: Clients, tenant: str, app: App, secret: str | None, code: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"{code}: "):
        clients.credential(tenant, app, secret).get_token(SCOPE)


def test_a_tenant_that_nobody_knows_has_no_authority(clients: Clients) -> None:
    # MSAL asks for the tenant's document first, and keeps Entra's AADSTS90002 to itself.
    with pytest.raises(ClientAuthenticationError, match="Unable to get authority configuration"):
        clients.credential("99999999-1234-abcd-56ef-121314ab5643").get_token(SCOPE)


def test_a_wrong_secret_keeps_the_client_from_calling_arm_at_all(clients: Clients, emulator: Emulator) -> None:
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, credential=clients.credential(CENTRAL, secret="wrong"))
    since = emulator.last_call()
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        list(client.network_managers.list_by_subscription())
    assert emulator.calls(since, kind="arm") == []


def test_a_token_of_the_wrong_tenant(clients: Clients) -> None:
    client = clients.network(TARGET_SUBSCRIPTION, CENTRAL)
    with pytest.raises(ClientAuthenticationError) as refusal:
        list(client.virtual_networks.list_all())
    assert refusal.value.status_code == 401
    assert refusal.value.error.code == "InvalidAuthenticationTokenTenant"
    assert TARGET in refusal.value.error.message and CENTRAL in refusal.value.error.message


def test_a_token_that_nobody_issued(clients: Clients) -> None:
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, credential=Fixed())
    with pytest.raises(ClientAuthenticationError) as refusal:
        list(client.network_managers.list_by_subscription())
    assert refusal.value.error.code == "InvalidAuthenticationToken"


def test_the_endpoint_itself_is_an_audience_too(clients: Clients, emulator: Emulator) -> None:
    client = clients.network(HUB_SUBSCRIPTION, CENTRAL, credential_scopes=[f"{emulator.arm}/.default"])
    assert list(client.virtual_networks.list_all())


def test_an_audience_of_another_service_is_refused(clients: Clients) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        client = clients.network(HUB_SUBSCRIPTION, CENTRAL, credential_scopes=["https://vault.azure.net/.default"])
        list(client.virtual_networks.list_all())
    text = str(refusal.value)
    assert "AADSTS500011" in text or "InvalidAuthenticationTokenAudience" in text


def test_looking_is_not_writing(clients: Clients, target: NetworkManagementClient) -> None:
    looker = clients.network(TARGET_SUBSCRIPTION, TARGET, LOOKER)
    assert [it.id for it in looker.virtual_networks.list_all()] == [it.id for it in target.virtual_networks.list_all()]
    with pytest.raises(HttpResponseError) as refusal:
        looker.subscription_network_manager_connections.delete("any")
    assert refusal.value.status_code == 403
    assert refusal.value.error.code == "AuthorizationFailed"
    assert "Microsoft.Network/networkManagerConnections/delete" in refusal.value.error.message
