"""What a rule asks of a request, as data: comparisons of fields, joined by and, or and not.

A comparison that cannot read its field is neither true nor false. What is joined with it is true or
false only where it is so whatever that field says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from hitl_approval.domain.text import cut, inert, kind, shown

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "matches"]
Facts = Mapping[str, Any]
"""What a request says, by name, as JSON has it."""

MAX_PATH = 200
"""Longest path of a field, in characters: it stands in the audit event where it is not read."""
MAX_VALUE = 1_000
"""Longest text that a field is compared with, in characters: the longest line of a request."""
MAX_VALUES = 100
"""Most values of one `is_in`: a longer list belongs into the application."""
MAX_DEPTH = 10
"""Deepest nesting of a condition: deeper than anybody reads rightly."""
MAX_COMPARISONS = 100
"""Most comparisons of one condition."""

_LONE = re.compile("[\ud800-\udfff]")
_PATH = re.compile(r"[^\s.](?:[^\n]*[^\s.])?")
_NUMBERS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
OPERATORS: Final = (*_NUMBERS, "in", "matches")
"""By which a field is compared."""
_NOT_JOINED = (
    "a condition is neither true nor false before a request is read: join conditions with &, | and "
    "~, each in brackets, and compare a field once at a time"
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A field that a condition could not read.

    Attributes:
        field: its path.
        why: in words, without its value.
    """

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a condition says of a request.

    Attributes:
        holds: whether it is true; None where that depends on a field that could not be read.
        unread: each comparison's field that could not be read, once.
    """

    holds: bool | None
    unread: tuple[Unread, ...] = ()


class Condition:
    """Something that is true of a request or not: made by `field`, joined by `&`, `|` and `~`."""

    __slots__ = ()

    def __and__(self, other: Condition) -> Condition:
        return _joined(All, self, other)

    def __or__(self, other: Condition) -> Condition:
        return _joined(Either, self, other)

    def __invert__(self) -> Condition:
        return self.condition if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError(_NOT_JOINED)

    def read(self, facts: Facts) -> Reading:
        """What it says of a request. Every comparison is made, whatever the others say."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The condition as JSON values."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """One field, compared with a value that stands in the rule."""

    path: str
    operator: Operator
    value: Any

    def __post_init__(self) -> None:
        _check_path(self.path)
        if self.operator not in OPERATORS:
            msg = f"must compare by one of {', '.join(OPERATORS)}, got {shown(self.operator)}"
            raise ValueError(msg)
        if self.operator == "in":
            object.__setattr__(self, "value", _values(self.path, self.value))
            return
        of, plain = _accepted(self.path, self.value)
        object.__setattr__(self, "value", plain)
        allowed: Mapping[str, tuple[str, ...]] = {
            "==": ("number", "text", "boolean"),
            "!=": ("number", "text", "boolean"),
            "matches": ("text",),
        }
        if of not in allowed.get(self.operator, ("number",)):
            wants = "a text" if self.operator == "matches" else "a number"
            msg = f"field {shown(self.path)}: {self.operator} takes {wants}, got {kind(self.value)}"
            raise ValueError(msg)

    def read(self, facts: Facts) -> Reading:
        """See `Condition.read`."""
        wanted = self.value[0] if self.operator == "in" else self.value
        found, why = _found(facts, self.path)
        if why is None and _type(found) != _type(wanted):
            why = f"is {kind(found)}, not {kind(wanted)}"
        if why is not None:
            return Reading(None, (Unread(self.path, why),))
        return Reading(self._holds(found))

    def _holds(self, found: Any) -> bool:
        if self.operator == "in":
            return any(_compared("==", found, value) for value in self.value)
        if self.operator == "matches":
            return fnmatchcase(found, self.value)
        return _compared(self.operator, found, self.value)

    def to_json(self) -> dict[str, Any]:
        """See `Condition.to_json`."""
        value = list(self.value) if self.operator == "in" else self.value
        return {"field": self.path, self.operator: value}


@dataclass(frozen=True, slots=True)
class All(Condition):
    """True where every one of its conditions is."""

    conditions: tuple[Condition, ...]

    def read(self, facts: Facts) -> Reading:
        """See `Condition.read`."""
        return _read_all(self.conditions, facts, decides=False)

    def to_json(self) -> dict[str, Any]:
        """See `Condition.to_json`."""
        return {"all": [each.to_json() for each in self.conditions]}


@dataclass(frozen=True, slots=True)
class Either(Condition):
    """True where at least one of its conditions is."""

    conditions: tuple[Condition, ...]

    def read(self, facts: Facts) -> Reading:
        """See `Condition.read`."""
        return _read_all(self.conditions, facts, decides=True)

    def to_json(self) -> dict[str, Any]:
        """See `Condition.to_json`."""
        return {"any": [each.to_json() for each in self.conditions]}


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """True where its condition is false."""

    condition: Condition

    def read(self, facts: Facts) -> Reading:
        """See `Condition.read`."""
        found = self.condition.read(facts)
        return Reading(None if found.holds is None else not found.holds, found.unread)

    def to_json(self) -> dict[str, Any]:
        """See `Condition.to_json`."""
        return {"not": self.condition.to_json()}


@dataclass(frozen=True, slots=True, eq=False)
class RequestField:
    """A field of a request, by its path. Comparing it makes a condition.

    Raises:
        ValueError: no path, or a comparison with a value that fields of its type never equal.
    """

    path: str

    __hash__ = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        _check_path(self.path)

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return Comparison(self.path, "==", value)

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return Comparison(self.path, "!=", value)

    def __lt__(self, value: float) -> Condition:
        return Comparison(self.path, "<", value)

    def __le__(self, value: float) -> Condition:
        return Comparison(self.path, "<=", value)

    def __gt__(self, value: float) -> Condition:
        return Comparison(self.path, ">", value)

    def __ge__(self, value: float) -> Condition:
        return Comparison(self.path, ">=", value)

    def is_in(self, values: Any) -> Condition:
        """Whether it is one of these: all numbers, all texts or all booleans."""
        return Comparison(self.path, "in", values)

    def matches(self, pattern: str) -> Condition:
        """Whether the whole text is like this: `*` any text, `?` one character, `[ab]` one of them.

        Case makes a difference.
        """
        return Comparison(self.path, "matches", pattern)

    def __bool__(self) -> bool:
        raise TypeError(_NOT_JOINED)


def field(path: str) -> RequestField:
    """A field of the request's context, `customer.country` say, to be compared.

    `requester`, `subject` and `document_id` are the request's own, also where its context has
    fields of these names. A path leads through objects, not through lists.

    Raises:
        ValueError: no path.
    """
    return RequestField(path)


def check_size(condition: Condition, where: str = "when") -> Condition:
    """Accept a condition that a person can read.

    Raises:
        ValueError: nested too deeply, or too many comparisons.
    """
    count = _count(condition, where, MAX_DEPTH)
    if count > MAX_COMPARISONS:
        msg = f"{where} must have at most {MAX_COMPARISONS} comparisons, got {count}"
        raise ValueError(msg)
    return condition


def paths_of(condition: Condition) -> frozenset[str]:
    """The fields that a condition reads."""
    if isinstance(condition, Comparison):
        return frozenset({condition.path})
    return frozenset().union(*map(paths_of, _inner(condition)))


def _joined(how: type[All | Either], one: Condition, other: Any) -> Condition:
    if not isinstance(other, Condition):
        msg = f"a condition is joined with another condition, got {kind(other)}: {_NOT_JOINED}"
        raise TypeError(msg)
    pieces: list[Condition] = []
    for each in (one, other):
        pieces += each.conditions if isinstance(each, how) else [each]
    return how(tuple(pieces))


def _read_all(conditions: tuple[Condition, ...], facts: Facts, *, decides: bool) -> Reading:
    """Several conditions, of which one that is `decides` decides alone."""
    found = [each.read(facts) for each in conditions]
    unread = tuple(dict.fromkeys(one for each in found for one in each.unread))
    if any(each.holds is decides for each in found):
        return Reading(decides, unread)
    unknown = any(each.holds is None for each in found)
    return Reading(None if unknown else not decides, unread)


def _inner(condition: Condition) -> tuple[Condition, ...]:
    if isinstance(condition, Not):
        return (condition.condition,)
    return condition.conditions if isinstance(condition, All | Either) else ()


def _count(condition: Condition, where: str, levels: int) -> int:
    if not levels:
        msg = f"{where} must be nested at most {MAX_DEPTH} deep"
        raise ValueError(msg)
    inner = _inner(condition)
    return sum(_count(each, where, levels - 1) for each in inner) if inner else 1


def _check_path(path: Any) -> None:
    fits = isinstance(path, str) and len(path) <= MAX_PATH and _PATH.fullmatch(path)
    if not fits or ".." in path or inert(path, keep="") != path:
        msg = (
            f"field must be a name, or names with dots between them, of at most {MAX_PATH} "
            f"characters, got {shown(path)}"
        )
        raise ValueError(msg)


def _values(path: str, values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple | set | frozenset) or not values:
        msg = f"field {shown(path)}: in takes a list of at least one value, got {shown(values)}"
        raise ValueError(msg)
    if len(values) > MAX_VALUES:
        msg = f"field {shown(path)}: in takes at most {MAX_VALUES} values, got {len(values)}"
        raise ValueError(msg)
    ordered = sorted(values, key=repr) if isinstance(values, set | frozenset) else values
    accepted = [_accepted(path, value) for value in ordered]
    if len({of for of, _ in accepted}) > 1:
        msg = f"field {shown(path)}: in takes values of one type, got {shown(list(ordered))}"
        raise ValueError(msg)
    return tuple(value for _, value in accepted)


def _accepted(path: str, value: Any) -> tuple[str, Any]:
    """The type of a value that a field may be compared with, and the value as JSON has it."""
    found = _type(value)
    if found is None or (isinstance(value, float) and not math.isfinite(value)):
        msg = (
            f"field {shown(path)} is compared with a number, a text, true or false, got "
            f"{cut(repr(value)) if isinstance(value, float) else kind(value)}"
        )
        raise ValueError(msg)
    if isinstance(value, str) and len(value) > MAX_VALUE:
        msg = (
            f"field {shown(path)} is compared with at most {MAX_VALUE} characters, got {len(value)}"
        )
        raise ValueError(msg)
    if isinstance(value, str) and _LONE.search(value):
        msg = f"field {shown(path)} is compared with a text that has a lone surrogate"
        raise ValueError(msg)
    return found, json.loads(json.dumps(value))  # of a subclass, an enumeration's say, the value


def _type(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def _found(facts: Facts, path: str) -> tuple[Any, str | None]:
    """The value at a path, or why there is none to compare."""
    value: Any = facts
    names = path.split(".")
    for number, name in enumerate(names):
        if not isinstance(value, Mapping):
            return None, f"is not there: {'.'.join(names[:number])} is {kind(value)}"
        if name not in value:
            return None, "is not there"
        value = value[name]
    if _type(value) is None:
        return None, f"is {kind(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return None, "is no number that can be compared"
    return value, None


def _compared(operator: str, one: Any, other: Any) -> bool:
    if isinstance(one, str | bool):
        return (one == other) is (operator == "==")
    # As they are written: 0.1 is a tenth, and no integer is rounded to a float.
    return _NUMBERS[operator](Decimal(repr(one)), Decimal(repr(other)))
