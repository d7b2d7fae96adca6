"""A list as comma-separated values that a spreadsheet opens as they are, and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = (
    "approval_id",
    "status",
    "subject",
    "requester",
    "document_id",
    "approvers",
    "created_at",
    "expires_at",
    "decided_by",
    "decided_at",
)
"""In this order."""
_MARK = "\ufeff"
"""By which a spreadsheet knows that this is UTF-8."""
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, in both widths."""


def as_csv(items: Iterable[Mapping[str, Any]], *, note: str = "") -> str:
    """The items of a list as CSV (RFC 4180), with a byte-order mark.

    A value that a spreadsheet would take for a formula has an apostrophe before it.

    Args:
        items: as a list has them.
        note: a last line, where the list is not complete.
    """
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for item in items:
        table.writerow([_cell(item.get(name)) for name in COLUMNS])
    if note:
        table.writerow([note])
    return _MARK + written.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(value) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.lstrip().startswith(_STARTS) or text.startswith(_STARTS) else text
