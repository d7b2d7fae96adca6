"""Threat: a browser brings a cookie that this deployment has not written, or not for this."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hitl_approval.http.seal import MAX_COOKIE, cookie, cookies_of, no_cookie, seal, unseal
from tests.unit.http.by_browser import LocalMac

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=8)
VALUES = {"who": "Zoë", "list": [1, None]}


def test_should_give_back_what_it_was_given_until_it_ends() -> None:
    sealed = seal(LocalMac(), "session", VALUES, until=UNTIL)
    assert unseal(LocalMac(), "session", sealed, now=NOW) == VALUES
    assert unseal(LocalMac(), "session", sealed, now=UNTIL - timedelta(seconds=1)) == VALUES
    assert unseal(LocalMac(), "session", sealed, now=UNTIL) is None


def test_should_write_what_a_cookie_can_hold() -> None:
    sealed = seal(LocalMac(), "session", VALUES, until=UNTIL)
    assert set(sealed) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    with pytest.raises(ValueError, match="at most 4000 characters"):
        seal(LocalMac(), "session", {"long": "x" * MAX_COOKIE}, until=UNTIL)


def test_should_refuse_every_cookie_with_one_character_changed() -> None:
    sealed = seal(LocalMac(), "session", VALUES, until=UNTIL)
    for place, character in enumerate(sealed[:-1]):  # the last one has bits that say nothing
        changed = f"{sealed[:place]}{'A' if character != 'A' else 'B'}{sealed[place + 1 :]}"
        assert unseal(LocalMac(), "session", changed, now=NOW) is None, place


def test_should_refuse_the_cookie_of_another_purpose() -> None:
    sealed = seal(LocalMac(), "sign-in", VALUES, until=UNTIL)
    assert unseal(LocalMac(), "session", sealed, now=NOW) is None


def test_should_refuse_the_cookie_of_another_deployment() -> None:
    sealed = seal(LocalMac(b"another key"), "session", VALUES, until=UNTIL)
    assert unseal(LocalMac(), "session", sealed, now=NOW) is None


@pytest.mark.parametrize(
    "value", ["", ".", "a", "a.b", "ä.ö", "e30.e30", "x" * 5000, "e30.", ".e30"]
)
def test_should_refuse_what_is_no_cookie_of_ours(value: str) -> None:
    assert unseal(LocalMac(), "session", value, now=NOW) is None


def test_should_be_for_this_host_alone_and_for_no_script() -> None:
    made = cookie("__Host-a", "b", timedelta(hours=8))
    assert made == "__Host-a=b; Max-Age=28800; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert no_cookie("__Host-a").startswith("__Host-a=; Max-Age=0; Path=/; Secure;")


def test_should_read_the_cookies_of_an_event() -> None:
    expected = {"a": "1", "b": "2=3"}
    assert cookies_of({"cookies": ["a=1", "b=2=3"]}) == expected
    assert cookies_of({"headers": {"Cookie": "a=1; b=2=3"}}) == expected
    assert cookies_of({"cookies": [], "headers": {"cookie": "a=1"}}) == {}
    assert cookies_of({}) == {"": ""}
