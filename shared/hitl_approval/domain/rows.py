"""What is asked as rows that a person can read, and the parts in which a page shows them.

Nothing is cut and nothing is left out: what does not fit one part follows in the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hitl_approval.domain.text import inert

PART = 20_000
"""Characters of one part: about ten screens of a desktop, and read in a quarter of an hour."""
ROW = 40
"""What a row counts beside its characters: 300 short fields take one part."""
LONGEST_NAME = 200
"""Characters of a name that stands beside its value; a longer one has a row of its own."""
MAX_DEPTH = 8
"""Levels that have rows of their own; what is deeper is shown as JSON, whole."""

Kind = Literal["text", "lines", "diff", "group"]
"""Of a row: one line; several, code say; a unified diff; or the name of what follows."""

_HUNK = re.compile(r"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name and its value, both inert.

    Attributes:
        name: what the requester has called it.
        value: what it is; of a group how much is in it.
        kind: how it is set.
        depth: how many groups it stands in.
        again: whether it has begun in the part before.
        goes_on: whether it goes on in the next part.
    """

    name: str
    value: str
    kind: Kind = "text"
    depth: int = 0
    again: bool = False
    goes_on: bool = False

    @property
    def whole(self) -> bool:
        """Whether the whole value is in this row."""
        return not (self.again or self.goes_on)


Part = tuple[Row, ...]


def rows(context: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of a context, in its order."""
    yield from _rows(context.items(), 0)


def parts(of: Iterable[Row]) -> tuple[Part, ...]:
    """The rows in parts that are shown one after the other; at least one, which may be empty.

    A value that is longer than a part goes on in the next. A part begins with the groups that
    its first row stands in.
    """
    made: list[Part] = []
    part: list[Row] = []
    groups: list[Row] = []
    room = PART
    for whole in of:
        row = whole
        groups = [group for group in groups if group.depth < row.depth]
        size = _size(row)
        if part and size > room and (size <= PART or room < PART // 2):
            made.append(tuple(part))
            part, room = _resumed(groups)
        while _size(row) > room:
            head, row = _split(row, max(room - ROW - len(row.name), 1))
            made.append((*part, head))
            part, room = _resumed(groups)
        part.append(row)
        room -= _size(row)
        if row.kind == "group":
            groups.append(row)
    return (*made, tuple(part))


def _size(row: Row) -> int:
    return len(row.name) + len(row.value) + ROW


def _resumed(groups: Iterable[Row]) -> tuple[list[Row], int]:
    """How a part begins, and how much room is left in it."""
    part = [replace(group, value="", again=True) for group in groups]
    return part, PART - sum(map(_size, part))


def _split(row: Row, length: int) -> tuple[Row, Row]:
    """A row's value in two, at the end of a line where there is one near."""
    at = row.value.rfind("\n", length // 2, length) + 1 or length
    head = replace(row, value=row.value[:at], goes_on=True)
    return head, replace(row, value=row.value[at:], again=True)


def _rows(pairs: Iterable[tuple[str, Any]], depth: int) -> Iterator[Row]:
    for given, value in pairs:
        name = inert(given) or '""'
        if len(name) > LONGEST_NAME:
            said = f"(a name of {len(given):,} characters)"
            yield Row(name=said, value=name, kind="lines", depth=depth)
            name = "(its value)"
        if isinstance(value, dict | list) and value and depth + 1 < MAX_DEPTH:
            yield Row(name=name, value=_count(value), kind="group", depth=depth)
            inner = value.items() if isinstance(value, dict) else _numbered(value)
            yield from _rows(inner, depth + 1)
        else:
            shown = inert(_plain(value).replace("\r\n", "\n"))
            yield Row(name=name, value=shown, kind=_kind(shown), depth=depth)


def _numbered(values: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(number), value) for number, value in enumerate(values, start=1))


def _count(value: Any) -> str:
    kind = "field" if isinstance(value, dict) else "item"
    return f"{len(value):,} {kind}{'' if len(value) == 1 else 's'}"


def _plain(value: Any) -> str:
    words = {None: "none", True: "yes", False: "no"}
    if isinstance(value, str):
        return value or '""'
    if value is None or isinstance(value, bool):
        return words[value]
    return json.dumps(value, ensure_ascii=False)


def _kind(value: str) -> Kind:
    if "\n" not in value:
        return "text"
    return "diff" if _HUNK.search(value) else "lines"
