"""ID tokens of an OpenID Connect issuer: what must hold before one says who has signed in.

The rules are those of OpenID Connect Core 1.0, section 3.1.3.7; the signature is RSA with SHA-256
(RFC 8017, section 8.2.2), which every issuer must be able to make.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

MAX_TOKEN = 16_384
"""Characters of the longest token that is read; those of common issuers have about 1,000."""
LEEWAY = timedelta(minutes=1)
"""How far the issuer's clock and ours may be apart."""
MAX_AGE = timedelta(minutes=10)
"""How long ago a token was issued at most: it comes straight from the issuer."""
MIN_KEY_BITS = 2_048
"""Of an RSA key (RFC 7518, section 3.3)."""
MAX_KEY_BITS = 8_192
"""Of an RSA key: a longer one takes longer to compute with than a sign-in should."""

_ALGORITHM = "RS256"
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in a signature (RFC 8017, section 9.2, note 1)."""
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class TokenRefusedError(Exception):
    """A token that does not say who has signed in; the message says what is wrong with it."""


class UnknownKeyError(TokenRefusedError):
    """The issuer's keys do not have the one that the token names: it may have a new one."""


def verify(
    token: str,
    keys: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims of a token, after everything that must hold for it has been checked.

    Args:
        token: as the issuer's token endpoint has returned it.
        keys: the issuer's, as its JSON Web Key Set has them.
        issuer: whose token it must be.
        client_id: for whom it must be.
        nonce: of the sign-in that it must answer.
        now: the time.

    Raises:
        UnknownKeyError: none of the keys is the one that has signed it.
        TokenRefusedError: it is not a token, or not one for this sign-in.
    """
    claims = _signed_claims(token, keys)
    if claims.get("iss") != issuer:
        raise TokenRefusedError("the token is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise TokenRefusedError("the token is for another client")
    if claims.get("azp", client_id if len(audiences) == 1 else None) != client_id:
        raise TokenRefusedError("the token was issued to another client")
    if now - LEEWAY >= _time(claims, "exp", now):
        raise TokenRefusedError("the token has expired")
    issued = _time(claims, "iat", now)
    if issued > now + LEEWAY or issued < now - MAX_AGE:
        raise TokenRefusedError("the token was not issued just now")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise TokenRefusedError("the token answers another sign-in")
    return claims


def _signed_claims(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = token.split(".") if len(token) <= MAX_TOKEN else []
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        raise TokenRefusedError("this is not a token")
    header = _json(parts[0])
    if header.get("alg") != _ALGORITHM:
        raise TokenRefusedError(f"the token must be signed by {_ALGORITHM}")
    if "crit" in header:
        raise TokenRefusedError("the token demands what is not known here")
    signed = f"{parts[0]}.{parts[1]}".encode()
    if not _is_signature(_decoded(parts[2]), signed, _key(keys, header.get("kid"))):
        raise TokenRefusedError("the token's signature is not its issuer's")
    return _json(parts[1])


def _key(keys: Sequence[Mapping[str, Any]], key_id: Any) -> Mapping[str, Any]:
    for key in keys:
        if (
            key.get("kty") == "RSA"
            and key.get("kid") == key_id
            and key.get("use", "sig") == "sig"
            and key.get("alg", _ALGORITHM) == _ALGORITHM
        ):
            return key
    raise UnknownKeyError("the token is signed by a key that its issuer does not publish")


def _is_signature(signature: bytes, signed: bytes, key: Mapping[str, Any]) -> bool:
    """Whether it is the RSA signature of these bytes: the one padded text, compared whole."""
    modulus, exponent = (int.from_bytes(_decoded(key.get(part))) for part in ("n", "e"))
    bits = modulus.bit_length()
    # exponent 1 would let anybody sign.
    if not MIN_KEY_BITS <= bits <= MAX_KEY_BITS or not 2 < exponent < 2**32:  # noqa: PLR2004
        raise TokenRefusedError("the issuer's key is too short, too long, or none")
    size = (bits + 7) // 8
    number = int.from_bytes(signature)
    if len(signature) != size or number >= modulus:
        return False
    digest = _SHA256 + hashlib.sha256(signed).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return hmac.compare_digest(pow(number, exponent, modulus).to_bytes(size), padded)


def _time(claims: Mapping[str, Any], name: str, like: datetime) -> datetime:
    value = claims.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, like.tzinfo)
        except (OverflowError, ValueError, OSError):
            pass
    raise TokenRefusedError(f"the token's claim {name} is no time")


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise TokenRefusedError("this is not a token") from None
    if not isinstance(found, dict):
        raise TokenRefusedError("this is not a token")
    return found


def _decoded(part: Any) -> bytes:
    """The bytes of base64url without padding, which is what a token is made of."""
    if not isinstance(part, str) or not _BASE64URL.fullmatch(part):
        raise TokenRefusedError("this is not a token")
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise TokenRefusedError("this is not a token") from None
