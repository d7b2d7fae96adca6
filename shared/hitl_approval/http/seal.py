"""Cookies that only this deployment can have written.

Nothing in them is secret from who holds them: a code over their content is enough.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

MAX_COOKIE = 4_000
"""Characters of a value that is written and read: browsers keep 4,096 bytes with the name."""
_DOT = "."


class Mac(Protocol):
    """Message authentication codes by a key that only this deployment may use."""

    def make(self, message: bytes) -> bytes:
        """The code of a message."""

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether the code was made for this message by this key."""


def seal(mac: Mac, purpose: str, values: Mapping[str, Any], *, until: datetime) -> str:
    """The value of a cookie.

    Args:
        mac: makes the code.
        purpose: of the cookie: one for another purpose is none.
        values: JSON.
        until: when it ends, whatever the browser does.

    Raises:
        ValueError: it would be longer than browsers keep.
    """
    content = {**values, "until": int(until.timestamp())}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    payload = _encoded(text.encode())
    sealed = payload + _DOT + _encoded(mac.make(_digest(purpose, payload)))
    if len(sealed) > MAX_COOKIE:
        msg = f"a cookie has at most {MAX_COOKIE} characters, got {len(sealed)}"
        raise ValueError(msg)
    return sealed


def unseal(mac: Mac, purpose: str, value: str, *, now: datetime) -> dict[str, Any] | None:
    """What `seal` was given; None for what it has not written, or what has ended."""
    payload, dot, code = value.partition(_DOT)
    if not dot or len(value) > MAX_COOKIE:
        return None
    try:
        given = _decoded(code)
        if not mac.verify(_digest(purpose, payload), given):
            return None
        found: dict[str, Any] = json.loads(_decoded(payload))
    except (binascii.Error, ValueError):
        return None
    return found if now.timestamp() < found.pop("until") else None


def cookies_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The cookies of an HTTP API's event (payload 2.0): its list, or else the header."""
    listed = event.get("cookies")
    if listed is None:
        headers = event.get("headers") or {}
        sent = (value for name, value in headers.items() if name.lower() == "cookie")
        listed = ";".join(sent).split(";")
    pairs = (each.partition("=") for each in listed)
    return {name.strip(): value.strip() for name, _, value in pairs}


def cookie(name: str, value: str, lasts: timedelta) -> str:
    """A cookie of this one host, for no script and for no form of another site."""
    age = int(lasts.total_seconds())
    return f"{name}={value}; Max-Age={age}; Path=/; Secure; HttpOnly; SameSite=Lax"


def no_cookie(name: str) -> str:
    """Ends a cookie."""
    return cookie(name, "", timedelta(0))


def _digest(purpose: str, payload: str) -> bytes:
    return hashlib.sha256(f"{purpose}\0{payload}".encode()).digest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
