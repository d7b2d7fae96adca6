"""The context of a request: JSON values that the approver sees, as they are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.digest import canonical
from hitl_approval.domain.errors import InvalidRequest

MAX_CONTEXT_DEPTH = 32
"""Deepest nesting of a context: deeper than anybody reads, and cheap to print on every line."""
MAX_CONTEXT_BYTES = 150_000
"""Largest context, as UTF-8 JSON: with the votes it fits an item of 400 KB."""


def context_json(context: Any) -> str:
    """The context as it is stored: in the requester's order, which readers see.

    Raises:
        InvalidRequest: not an object of JSON values, too large or nested too deeply, or with a
            whole number that not every reader of JSON keeps exactly.
    """
    if not isinstance(context, Mapping):
        raise InvalidRequest("context", f"must be an object, got {text.kind(context)}")
    if _is_deeper(context, MAX_CONTEXT_DEPTH):
        raise InvalidRequest("context", f"must be nested at most {MAX_CONTEXT_DEPTH} deep")
    try:
        stored = json.dumps(dict(context), ensure_ascii=False, allow_nan=False)
        json.dumps(dict(context), sort_keys=True)  # names that are 1 and "1" would become one
        size = len(stored.encode())
    except UnicodeEncodeError:
        raise InvalidRequest("context", "contains a lone surrogate") from None
    except (TypeError, ValueError):
        raise InvalidRequest("context", "must hold JSON values only") from None
    if size > MAX_CONTEXT_BYTES:
        raise InvalidRequest("context", f"must be at most {MAX_CONTEXT_BYTES} bytes, got {size}")
    try:
        canonical(json.loads(stored))
    except ValueError as error:
        raise InvalidRequest("context", f"has {error}: write it as text") from None
    return stored


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether containers stand in each other more than so many deep; itself never so deep."""
    held = [value]
    for _ in range(levels):
        containers = [one for one in held if isinstance(one, Mapping | list | tuple)]
        held = [
            inner
            for one in containers
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not held:
            return False
    return any(isinstance(one, Mapping | list | tuple) for one in held)
