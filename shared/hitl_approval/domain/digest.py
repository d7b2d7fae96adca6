"""The digest of JSON values that anybody recomputes: RFC 8785, then SHA-256.

RFC 8785 (JCS) gives each JSON value one spelling, the one that JavaScript gives it: names sorted by
their UTF-16 code units, no spaces, and numbers as ECMA-262 writes them. It takes I-JSON (RFC 7493)
only, in which a whole number has at most 53 bits, for JavaScript keeps no more of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, Final

MAX_WHOLE: Final = 2**53 - 1
"""Largest whole number that every reader of JSON keeps exactly (RFC 7493, section 2.2)."""
_MAX_DIGITS = 21
"""Digits of a whole number that ECMA-262 writes without an exponent (Number::toString)."""
_MAX_ZEROS = 6
"""Places behind the point that it writes without one."""
_text = json.JSONEncoder(ensure_ascii=False).encode
"""A text in quotes: Python escapes the same characters in the same way."""
_LITERALS = {None: "null", True: "true", False: "false"}


def digest_json(value: Any) -> str:
    """SHA-256 of a JSON value, as 64 hexadecimal digits.

    Raises:
        ValueError: as `canonical` raises it.
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def canonical(value: Any) -> str:
    """A JSON value in the spelling of RFC 8785.

    Raises:
        ValueError: it is no I-JSON: a whole number beyond 2**53 - 1, a number that is none, half of
            a surrogate pair, a name that is no text, or another type. Says what.
    """
    written = _spelled(value)
    try:
        written.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    return written


def _spelled(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        names = sorted(value, key=_code_units)
        return "{" + ",".join([f"{_text(name)}:{_spelled(value[name])}" for name in names]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_spelled(item) for item in value]) + "]"
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    if isinstance(value, int | float):
        return _number(value)
    raise ValueError(f"a {type(value).__name__}, which JSON does not have")


def _code_units(name: Any) -> bytes:
    if not isinstance(name, str):
        raise ValueError("a name that is no text")  # noqa: TRY004  one kind of error for all
    return name.encode("utf-16be", "surrogatepass")


def _number(value: float) -> str:
    if isinstance(value, int):
        if abs(value) > MAX_WHOLE:
            said = f"the whole number {value}, of which not every reader keeps each digit"
            raise ValueError(said)
        return str(int(value))
    if not isfinite(value):
        raise ValueError(f"the number {value}, which JSON does not have")
    if not value:
        return "0"
    sign, digits, exponent = Decimal(float.__repr__(value)).as_tuple()
    written = "".join(map(str, digits)).rstrip("0")
    return "-" * sign + _as_ecma_script(written, len(digits) + int(exponent))


def _as_ecma_script(digits: str, point: int) -> str:
    """0.`digits` times ten to the power of `point`, as Number::toString of ECMA-262 writes it."""
    count = len(digits)
    if count <= point <= _MAX_DIGITS:
        return digits + "0" * (point - count)
    if 0 < point <= _MAX_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_MAX_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"
