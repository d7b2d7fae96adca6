"""Personal links: one approver's own way to one request. Only a link's digest is ever stored.

A link belongs to the message that brings it, and opens for as long as the request is on record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

from hitl_approval.domain.message import Message
from hitl_approval.routes import Route

SECRET_BYTES = 32
"""Random bytes of a link: 256 bits, beyond guessing."""

CHALLENGE_CHARACTERS = 8
"""Of 5 bits each: at the API's default rate, guessing one takes more than a thousand years."""

_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that reads as another character."""
_LOOK_ALIKE = str.maketrans("OIL", "011")

BEHIND_A_LINK = ".,;:!?/>)]}\"'"
"""What mail programs take for a part of a link that it stands behind; no token ends in it."""

_TOKEN = re.compile(r"(?P<approval>[A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{43}")


def make_token(approval_id: str, secret: bytes) -> str:
    """The token of a new link.

    Raises:
        ValueError: the secret is too short to be one.
    """
    if len(secret) != SECRET_BYTES:
        msg = f"a link's secret has {SECRET_BYTES} bytes, got {len(secret)}"
        raise ValueError(msg)
    return f"{approval_id}.{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


def personal_link(page_url: str, token: str) -> str:
    """The link of a token.

    Args:
        page_url: where the page is, without a slash at its end.
        token: as `make_token` made it.
    """
    return page_url + Route.LINK.replace("{token+}", token)


def entry_of(inbox_url: str | None, approval_id: str) -> str | None:
    """Where an approval is for who signs in.

    Args:
        inbox_url: where people sign in by a browser; None where nobody can.
        approval_id: the record's id.
    """
    return inbox_url and inbox_url + Route.APPROVAL.format(approval_id=approval_id)


def approval_of(token: Any) -> str | None:
    """The approval that a token claims to be for; None for what cannot be a token."""
    match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
    return match["approval"] if match else None


def digest_of(token: str) -> str:
    """SHA-256 of a token, as the record keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_challenge(secret: bytes) -> str:
    """The short code that a link alone does not open without: 40 bits, as `K7QD-M2XH`.

    Raises:
        ValueError: the secret is too short to make one from.
    """
    if len(secret) != SECRET_BYTES:
        msg = f"a code is made from {SECRET_BYTES} bytes, got {len(secret)}"
        raise ValueError(msg)
    code = "".join(_CODE[byte % len(_CODE)] for byte in secret[-CHALLENGE_CHARACTERS:])
    return f"{code[:4]}-{code[4:]}"


def is_challenge(given: str, challenge: str) -> bool:
    """Whether what a person has typed is this code; letters that look alike are the same."""
    return hmac.compare_digest(_typed(given), _typed(challenge))


def _typed(code: str) -> bytes:
    spelled = code.upper().translate(_LOOK_ALIKE)
    return "".join(c for c in spelled if c in _CODE).encode()


def find_message(messages: Iterable[Message], token: str) -> Message | None:
    """The message that brought this token's link; it says whose the link is, and what it opens.

    Takes the same time whichever it is, or none.
    """
    wanted = digest_of(token)
    found = None
    for message in messages:
        for digest in message.links if message.brings_link else ():
            if hmac.compare_digest(digest, wanted):
                found = message
    return found


def is_nonce(given: str, nonce: str) -> bool:
    """Whether what a form has brought is its nonce."""
    return hmac.compare_digest(given.encode(errors="replace"), nonce.encode())


def form_nonce(token: str, content_digest: str) -> str:
    """What only who has opened the form can post with it: bound to the link and what it shows."""
    return hmac.new(token.encode(), f"form:{content_digest}".encode(), "sha256").hexdigest()
