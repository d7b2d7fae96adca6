"""Personal links: one approver's own way to one request. Only a link's digest is ever stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SECRET_BYTES = 32
"""Random bytes of a link: 256 bits, beyond guessing."""

MAX_LINKS = 10
"""The newest links of one person that a record keeps: each try to notify them adds one."""

CHALLENGE_CHARACTERS = 8
"""Of 5 bits each: at the API's default rate, guessing one takes more than a thousand years."""

_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that reads as another character."""
_LOOK_ALIKE = str.maketrans("OIL", "011")

_TOKEN = re.compile(r"(?P<approval>[A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class PersonalLink:
    """What the record keeps of a link: whose it is, and the digest of its token."""

    digest: str
    approver: str


def make_token(approval_id: str, secret: bytes) -> str:
    """The token of a new link.

    Raises:
        ValueError: the secret is too short to be one.
    """
    if len(secret) != SECRET_BYTES:
        msg = f"a link's secret has {SECRET_BYTES} bytes, got {len(secret)}"
        raise ValueError(msg)
    return f"{approval_id}.{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


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


def find_link(links: Iterable[PersonalLink], token: str) -> PersonalLink | None:
    """The link that this token opens. Takes the same time whichever it is, or none."""
    wanted = digest_of(token)
    found = None
    for link in links:
        if hmac.compare_digest(link.digest, wanted):
            found = link
    return found


def is_nonce(given: str, nonce: str) -> bool:
    """Whether what a form has brought is its nonce."""
    return hmac.compare_digest(given.encode(errors="replace"), nonce.encode())


def newest(links: Iterable[PersonalLink]) -> tuple[PersonalLink, ...]:
    """The links without those that are older than each person's last `MAX_LINKS`, in order."""
    kept: list[PersonalLink] = []
    counts: Counter[str] = Counter()
    for link in reversed(list(links)):
        counts[link.approver] += 1
        if counts[link.approver] <= MAX_LINKS:
            kept.append(link)
    return tuple(reversed(kept))


def form_nonce(token: str, content_digest: str) -> str:
    """What only who has opened the form can post with it: bound to the link and what it shows."""
    return hmac.new(token.encode(), f"form:{content_digest}".encode(), "sha256").hexdigest()
