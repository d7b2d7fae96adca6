"""Somebody who is signed in at a local user pool. Threat: a page or a stranger signs anybody in."""

from __future__ import annotations

import http.client
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hitl_approval_cli.local import invite_person
from hitl_approval_cli.local.process import PEOPLE_PATH
from tests.local.harness import Emulator, any_name

ANN = "ann@example.com"
BACK = "http://abc.execute-api.localhost:1/back"
LEADS_TO = "http://abc.execute-api.localhost:1/inbox"


@pytest.fixture(scope="module")
def pool(cloud: Emulator) -> tuple[str, str]:
    """A user pool with ann in it, and its client."""
    return make_pool(cloud)


def make_pool(cloud: Emulator) -> tuple[str, str]:
    cognito = cloud.client("cognito-idp")
    made = cognito.create_user_pool(PoolName=any_name("pool"))["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=made,
        ClientName="web",
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        AllowedOAuthFlowsUserPoolClient=True,
        CallbackURLs=[BACK],
        LogoutURLs=[BACK],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(
        UserPoolId=made,
        Username=ANN,
        UserAttributes=[{"Name": "email", "Value": ANN}],
        MessageAction="SUPPRESS",
    )
    return str(made), str(client)


def get(cloud: Emulator, address: str, cookie: str = "", method: str = "GET") -> Any:
    where = urlsplit(cloud.endpoint_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.request(method, address, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def come(cloud: Emulator, pool: str, name: str = ANN) -> str:
    """The cookie of a browser that has opened the link."""
    environment = {"AWS_ENDPOINT_URL": cloud.endpoint_url, "AWS_ACCESS_KEY_ID": cloud.key}
    link = invite_person(environment, pool=pool, name=name, leads_to=LEADS_TO)
    path = link.removeprefix(cloud.endpoint_url)
    answer = get(cloud, path)
    assert (answer.status, answer.headers["Location"]) == (303, LEADS_TO)
    assert get(cloud, path).status == 404  # it opens once
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly; SameSite=Lax" in cookie
    return str(cookie.partition(";")[0])


def authorize(client: str, **more: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": BACK,
        "scope": "openid email",
        "state": "state",
        "nonce": "nonce",
    }
    return f"/oauth2/authorize?{urlencode(asked | more)}"


def test_should_send_who_is_signed_in_back_with_a_code(
    cloud: Emulator, pool: tuple[str, str]
) -> None:
    cookie = come(cloud, pool[0])
    answer = get(cloud, authorize(pool[1]), f"other=1; {cookie}")
    assert answer.status == 302
    assert re.fullmatch(rf"{BACK}\?code=\S+&state=state", answer.headers["Location"])


@pytest.mark.parametrize("cookie", ["", "hitl-local-person=x", "hitl-local-person", ";=;"])
def test_should_ask_everybody_else(cloud: Emulator, pool: tuple[str, str], cookie: str) -> None:
    come(cloud, pool[0])
    assert get(cloud, authorize(pool[1]), cookie).status == 200


def test_should_ask_again_where_the_app_wants_it(cloud: Emulator, pool: tuple[str, str]) -> None:
    assert get(cloud, authorize(pool[1], prompt="login"), come(cloud, pool[0])).status == 200


def test_should_ask_at_another_pool(cloud: Emulator, pool: tuple[str, str]) -> None:
    _, other = make_pool(cloud)
    assert get(cloud, authorize(other), come(cloud, pool[0])).status == 200


def test_should_ask_for_who_is_not_in_the_pool(cloud: Emulator, pool: tuple[str, str]) -> None:
    cookie = come(cloud, pool[0], "eve@example.com")
    assert get(cloud, authorize(pool[1]), cookie).status == 200


def test_should_lead_nowhere_that_the_client_has_not_registered(
    cloud: Emulator, pool: tuple[str, str]
) -> None:
    address = authorize(pool[1], redirect_uri="http://evil.example/")
    assert get(cloud, address, come(cloud, pool[0])).status == 400


def test_should_forget_who_signs_out(cloud: Emulator, pool: tuple[str, str]) -> None:
    cookie = come(cloud, pool[0])
    left = get(cloud, f"/logout?{urlencode({'client_id': pool[1], 'logout_uri': BACK})}", cookie)
    assert left.status == 302
    assert get(cloud, authorize(pool[1]), cookie).status == 200


def test_should_take_no_invitation_without_the_key(cloud: Emulator, pool: tuple[str, str]) -> None:
    asked = urlencode({"pool": pool[0], "name": ANN, "leads_to": LEADS_TO})
    assert get(cloud, f"{PEOPLE_PATH}?{asked}", method="POST").status == 403
    assert get(cloud, f"{PEOPLE_PATH}/?{asked}", method="POST").status == 403
    assert get(cloud, f"{PEOPLE_PATH}/guessed").status == 404
