"""ID tokens as an issuer signs them, and as somebody else would."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER = "https://issuer.example.com"
CLIENT = "approvals"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8))


@cache
def private_key(bits: int = 2048, name: str = "ours") -> rsa.RSAPrivateKey:
    """A key of this name, made once."""
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def public_key(name: str = "ours", bits: int = 2048, **more: Any) -> dict[str, Any]:
    """As an issuer publishes it."""
    numbers = private_key(bits, name).public_key().public_numbers()
    return {
        "kty": "RSA",
        "kid": name,
        "use": "sig",
        "alg": "RS256",
        "n": _number(numbers.n),
        "e": _number(numbers.e),
        **more,
    }


def token(claims: Mapping[str, Any], *, key: str = "ours", bits: int = 2048, **header: Any) -> str:
    """A token with these claims, signed with this key."""
    head = {"alg": "RS256", "kid": key, "typ": "JWT"} | header
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    raw = private_key(bits, key).sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{encoded(raw)}"


def claims_of(now: datetime, **changed: Any) -> dict[str, Any]:
    """What an issuer says of ann, who signs in now; a claim that is None is left out."""
    moment = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "11111111-2222",
        "exp": moment + 3600,
        "iat": moment,
        "auth_time": moment,
        "nonce": "n-once",
        "email": "ann@example.com",
        "email_verified": True,
    }
    return {name: value for name, value in (claims | changed).items() if value is not None}
