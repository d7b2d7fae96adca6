"""The few fields of a context that a page puts first, by their names: see `docs/page.md`.

A field whose value is none that the vocabulary has is a field like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

Risk = Literal["low", "medium", "high", "critical"]

MAX_SENTENCE = 500
"""Characters of a sentence that stands above the fields: longer texts are fields."""
MAX_AMOUNT = 40
"""Characters of an amount that is a text."""

_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stands above the fields, as the requester says it, and the other fields.

    Attributes:
        summary: what is asked, in a sentence.
        amount: how much, with its currency.
        risk: how bad a wrong decision would be.
        impact: whom or what it concerns.
        following: what happens once it is approved.
        rest: the other fields, in their order.
    """

    summary: str | None = None
    amount: str | None = None
    risk: Risk | None = None
    impact: str | None = None
    following: str | None = None
    rest: Mapping[str, Any]


def facts(context: Mapping[str, Any]) -> Facts:
    """What a page puts first of a context."""
    rest = dict(context)

    def take(name: str, read: Callable[[Any], Any]) -> Any:
        found = read(rest[name]) if name in rest else None
        if found is not None:
            del rest[name]
        return found

    amount = take("amount", _amount)
    currency = None if amount is None else take("currency", _currency)
    return Facts(
        summary=take("summary", _sentence),
        amount=f"{amount} {currency}" if currency else amount,
        risk=take("risk", _risk),
        impact=take("impact", _sentence),
        following=take("next", _sentence),
        rest=rest,
    )


def _sentence(value: Any) -> str | None:
    fits = isinstance(value, str) and value.strip() and len(value) <= MAX_SENTENCE
    return value if fits and "\n" not in value else None


def _risk(value: Any) -> Any:
    return value if value in get_args(Risk) else None


def _currency(value: Any) -> str | None:
    return value if isinstance(value, str) and _CURRENCY.fullmatch(value) else None


def _amount(value: Any) -> str | None:
    """Every digit that was given: `70000` as 70,000, a text as it is."""
    if isinstance(value, str):
        fits = value.strip() and len(value) <= MAX_AMOUNT and "\n" not in value
        return value if fits else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    written = f"{Decimal(repr(value)):,}"
    return written if len(written) <= MAX_AMOUNT else None
