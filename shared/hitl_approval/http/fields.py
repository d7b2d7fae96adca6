"""A request's context as rows that a person can read, however strange it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hitl_approval.domain.text import inert

MAX_FIELDS = 300
"""Fields shown: more than anybody reads, and `hitl show --json` has them all."""
MAX_VALUE = 2_000
"""Characters of one value shown."""
MAX_DEPTH = 8
"""Levels that are unfolded; what is deeper is shown as JSON."""


@dataclass(frozen=True, slots=True)
class Field:
    """A name with a value, or with fields of its own."""

    name: str
    value: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The fields, and how many there were no room for."""

    fields: tuple[Field, ...]
    left_out: int


def readable(context: str) -> Shown:
    """The context of a record, as JSON, in fields."""
    room = _Room()
    fields = tuple(_fields(json.loads(context).items(), room, 1))
    return Shown(fields, room.left_out)


class _Room:
    def __init__(self) -> None:
        self.left = MAX_FIELDS
        self.left_out = 0

    def take(self) -> bool:
        self.left -= 1
        if self.left < 0:
            self.left_out += 1
        return self.left >= 0


def _fields(pairs: Any, room: _Room, depth: int) -> Iterator[Field]:
    for name, value in pairs:
        if not room.take():
            continue
        if isinstance(value, dict | list) and value and depth < MAX_DEPTH:
            inner = value.items() if isinstance(value, dict) else _numbered(value)
            yield Field(_text(name), _size(value), tuple(_fields(inner, room, depth + 1)))
        else:
            yield Field(_text(name), _text(_plain(value)))


def _numbered(values: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(number), value) for number, value in enumerate(values, start=1))


def _size(value: Any) -> str:
    kind = "field" if isinstance(value, dict) else "item"
    return f"{len(value)} {kind}{'' if len(value) == 1 else 's'}"


def _plain(value: Any) -> str:
    words = {None: "none", True: "yes", False: "no"}
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return words[value]
    return json.dumps(value, ensure_ascii=False)


def _text(value: str) -> str:
    shown = inert(value.replace("\r\n", "\n"))
    if len(shown) <= MAX_VALUE:
        return shown
    return f"{shown[:MAX_VALUE]}... {len(shown) - MAX_VALUE} more characters are on record"
