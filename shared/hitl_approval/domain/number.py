"""Numbers that every JSON reader, and the tables, give back as they were given."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

LARGEST = 2**53 - 1
"""Largest whole number that every JSON reader keeps (RFC 8259, section 6)."""
SMALLEST = 1e-100
"""Closest to 0 of the others: DynamoDB keeps 1e-130 and more."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")


def plain_number(value: Any) -> float | None:
    """A JSON number as it is kept, a whole one as an integer; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not abs(value) <= LARGEST or 0 < abs(value) < SMALLEST:  # not a number is never less
        return None
    return int(value) if value == int(value) else value


def number_of(typed: str) -> float | str:
    """What somebody has typed as a number; the text itself where it is none.

    One with more digits than a number keeps is none: what is typed is what stands on record.
    """
    if not _NUMBER.fullmatch(typed):
        return typed
    exact = Decimal(typed)
    number = plain_number(int(exact) if exact == exact.to_integral_value() else float(exact))
    return typed if number is None or Decimal(repr(number)) != exact else number
