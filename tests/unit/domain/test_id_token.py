"""Threat: a token that somebody else has made, or for another sign-in, signs somebody in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hitl_approval.domain.id_token import TokenRefusedError, UnknownKeyError, verify
from tests.signing import CLIENT, ISSUER, claims_of, encoded, public_key, token

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(written: str, *keys: dict[str, Any]) -> dict[str, Any]:
    return verify(
        written,
        keys or (public_key(),),
        issuer=ISSUER,
        client_id=CLIENT,
        nonce="n-once",
        now=NOW,
    )


def at(delta: timedelta) -> int:
    return int((NOW + delta).timestamp())


def test_should_read_what_the_issuer_has_signed() -> None:
    assert read(token(claims_of(NOW)))["email"] == "ann@example.com"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
        {"azp": CLIENT},
        {"iat": at(timedelta(seconds=50))},
        {"exp": at(timedelta(seconds=-50))},
        {"exp": NOW.timestamp() + 0.5},
    ],
    ids=json.dumps,
)
def test_should_take_what_the_standard_allows(changed: dict[str, Any]) -> None:
    assert read(token(claims_of(NOW, **changed)))


REFUSED = {
    "another issuer": ({"iss": "https://evil.example.com"}, "of another issuer"),
    "no issuer": ({"iss": None}, "of another issuer"),
    "an issuer with a slash": ({"iss": f"{ISSUER}/"}, "of another issuer"),
    "another client": ({"aud": "another"}, "for another client"),
    "no client": ({"aud": None}, "for another client"),
    "a client that only begins so": ({"aud": f"{CLIENT}-2"}, "for another client"),
    "issued to another": ({"azp": "another"}, "issued to another client"),
    "for several, issued to nobody": ({"aud": [CLIENT, "another"]}, "issued to another client"),
    "expired": ({"exp": at(timedelta(minutes=-1))}, "has expired"),
    "without an end": ({"exp": None}, "claim exp is no time"),
    "an end that is none": ({"exp": True}, "claim exp is no time"),
    "an end beyond time": ({"exp": 10**400}, "claim exp is no time"),
    "of tomorrow": ({"iat": at(timedelta(minutes=2))}, "was not issued just now"),
    "old": ({"iat": at(timedelta(minutes=-11))}, "was not issued just now"),
    "without a beginning": ({"iat": None}, "claim iat is no time"),
    "another nonce": ({"nonce": "another"}, "answers another sign-in"),
    "no nonce": ({"nonce": None}, "answers another sign-in"),
    "a nonce that is no text": ({"nonce": ["n-once"]}, "answers another sign-in"),
}


@pytest.mark.parametrize(("changed", "why"), REFUSED.values(), ids=REFUSED)
def test_should_refuse_claims_of_another_sign_in(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(TokenRefusedError, match=why):
        read(token(claims_of(NOW, **changed)))


def test_should_refuse_a_token_that_nobody_has_signed() -> None:
    head, claims, signature = token(claims_of(NOW)).split(".")
    unsigned = encoded(json.dumps({"alg": "none"}).encode())
    for forged in (f"{unsigned}.{claims}.", f"{unsigned}.{claims}.{signature}"):
        with pytest.raises(TokenRefusedError, match="must be signed by RS256"):
            read(forged)
    with pytest.raises(TokenRefusedError, match="signature is not its issuer's"):
        read(f"{head}.{claims}.")


def test_should_refuse_a_secret_in_place_of_a_key() -> None:
    """HS256 with the public key as its secret, which everybody knows."""
    with pytest.raises(TokenRefusedError, match="must be signed by RS256"):
        read(token(claims_of(NOW), alg="HS256"))


def test_should_refuse_claims_that_were_altered() -> None:
    head, _, signature = token(claims_of(NOW)).split(".")
    other = encoded(json.dumps(claims_of(NOW, email="eve@example.com")).encode())
    with pytest.raises(TokenRefusedError, match="signature is not its issuer's"):
        read(f"{head}.{other}.{signature}")


def test_should_refuse_another_key_under_the_same_name() -> None:
    with pytest.raises(TokenRefusedError, match="signature is not its issuer's"):
        read(token(claims_of(NOW), key="theirs", kid="ours"))


@pytest.mark.parametrize(
    "key",
    [
        public_key("theirs"),
        public_key(use="enc"),
        public_key(kty="EC"),
        public_key(alg="RS512"),
    ],
    ids=["another name", "for encryption", "another kind", "another algorithm"],
)
def test_should_know_that_the_issuer_may_have_a_new_key(key: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeyError):
        read(token(claims_of(NOW)), key)


def test_should_refuse_a_key_that_signs_for_anybody() -> None:
    """With the exponent 1 a signature is its own text."""
    with pytest.raises(TokenRefusedError, match="key is too short"):
        read(token(claims_of(NOW)), public_key(e=encoded(b"\x01")))
    with pytest.raises(TokenRefusedError, match="key is too short"):
        read(token(claims_of(NOW), key="short", bits=1024), public_key("short", bits=1024))


def test_should_refuse_a_token_that_demands_what_is_not_known() -> None:
    with pytest.raises(TokenRefusedError, match="demands what is not known"):
        read(token(claims_of(NOW), crit=["exp"]))


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c.d", "....", "ä.b.c", "W10.e30.e30", "e30=.e30.e30", "x" * 20_000, "A.A.A"],
    ids=lambda text: text[:12],
)
def test_should_refuse_what_is_no_token(text: str) -> None:
    with pytest.raises(TokenRefusedError):
        read(text)
