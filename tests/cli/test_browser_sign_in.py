"""Signing in for the terminal: only this sign-in's answer counts, and only its issuer's token."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from hitl_approval.adapters.issuer import Endpoints
from hitl_approval.routes import CLI_REDIRECT_URI
from hitl_approval_cli import browser_sign_in
from hitl_approval_cli.browser_sign_in import SignedIn, sign_in
from hitl_approval_cli.errors import CliError
from tests.signing import CLIENT, ISSUER, claims_of, public_key, token

Query = dict[str, str]


@dataclass
class FakeIssuer:
    """Redeems one code, for the verifier whose challenge it was asked with."""

    issuer: str = ISSUER
    client_id: str = CLIENT
    key: str = "ours"
    claims: dict[str, Any] = field(default_factory=dict)
    asked: Query = field(default_factory=dict)

    def endpoints(self) -> Endpoints:
        return Endpoints(f"{ISSUER}/in", f"{ISSUER}/token", f"{ISSUER}/keys", None)

    def keys(self, *, again: bool = False) -> Sequence[Mapping[str, Any]]:
        assert not again
        return [public_key()]

    def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str | None:
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        assert digest.decode().rstrip("=") == self.asked["code_challenge"]
        assert redirect_uri == self.asked["redirect_uri"] == CLI_REDIRECT_URI
        if code != "good":
            return None
        said = claims_of(datetime.now(UTC), nonce=self.asked["nonce"], **self.claims)
        return token(said, key=self.key)


def back(query: Query, path: str = "/callback") -> tuple[int, str]:
    """The browser comes back with this."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(CLI_REDIRECT_URI).port)
    connection.request("GET", f"{path}?{urlencode(query)}")
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def signed_in(issuer: FakeIssuer, browser: Callable[[str], None]) -> SignedIn:
    """Sign in with a browser that gets the state and does as it likes."""
    started: list[Thread] = []

    def show(address: str) -> None:
        at = urlsplit(address)
        assert address.startswith(f"{ISSUER}/in?")
        issuer.asked = {name: values[0] for name, values in parse_qs(at.query).items()}
        started.append(Thread(target=browser, args=(issuer.asked["state"],)))
        started[0].start()

    try:
        return sign_in(issuer, show)
    finally:
        for thread in started:
            thread.join()


def honest(state: str) -> None:
    status, page = back({"code": "good", "state": state})
    assert status == 200
    assert "Go back to the terminal" in page


def test_should_say_who_has_signed_in_and_until_when() -> None:
    found = signed_in(FakeIssuer(), honest)
    assert found.name == "ann@example.com"
    assert found.expires_at > datetime.now(UTC)
    assert found.token.count(".") == 2


def test_should_pass_over_what_answers_another_sign_in() -> None:
    def browser(state: str) -> None:
        assert back({"code": "stolen", "state": "another"})[0] == 200
        assert back({"code": "good"}, "/elsewhere")[0] == 404
        assert back({})[0] == 200
        honest(state)

    assert signed_in(FakeIssuer(), browser).name == "ann@example.com"


@pytest.mark.parametrize(
    ("issuer", "query", "words"),
    [
        (FakeIssuer(), {"error": "access_denied"}, "the issuer has refused the sign-in"),
        (FakeIssuer(), {"code": "bad"}, "the issuer did not take the sign-in"),
        (FakeIssuer(key="theirs"), {"code": "good"}, "key that its issuer does not publish"),
        (FakeIssuer(claims={"iss": "https://evil"}), {"code": "good"}, "of another issuer"),
        (FakeIssuer(claims={"aud": "another"}), {"code": "good"}, "for another client"),
    ],
    ids=["refused", "no code", "another key", "another issuer", "another client"],
)
def test_should_sign_nobody_in_otherwise(issuer: FakeIssuer, query: Query, words: str) -> None:
    with pytest.raises(CliError, match=words) as refused:
        signed_in(issuer, lambda state: back({**query, "state": state}) and None)
    assert refused.value.code == "NOT_SIGNED_IN"


def test_should_give_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_sign_in, "PATIENCE", 0.0)
    with pytest.raises(CliError, match="nobody has signed in within 0 s"):
        signed_in(FakeIssuer(), lambda _: None)


def test_should_say_that_its_port_is_taken() -> None:
    with browser_sign_in._server(), pytest.raises(CliError, match="port 47285 of this machine"):
        signed_in(FakeIssuer(), lambda _: None)
