"""The rules that the values of a request keep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.digest import canonical
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.quorum import Quorum

MAX_REMINDERS = 10
"""Most reminders of one request: more would be read by nobody."""


MAX_SENSITIVE = 50
"""Most fields that a request calls sensitive: each is sought in the whole context."""


MAX_PATHS_BYTES = 3_000
"""Longest paths to such fields, all together, in UTF-8: they stand on the row beside the votes."""


MAX_CONTEXT_DEPTH = 32
"""Deepest nesting of a context: deeper than anybody reads, and cheap to print on every line."""


MAX_CONTEXT_BYTES = 150_000
"""Largest context, as UTF-8 JSON: with the votes it fits an item of 400 KB."""


def seconds(value: Any, field_name: str) -> timedelta:
    """Accept a whole number of seconds, at least 1.

    Raises:
        InvalidRequest: anything else, `true` and "60" included.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        got = value if isinstance(value, float) else text.kind(value)
        raise InvalidRequest(field_name, f"must be a whole number, got {got}")
    if value < 1:
        raise InvalidRequest(field_name, f"must be at least 1, got {text.shown(value)}")
    try:
        return timedelta(seconds=value)
    except OverflowError:
        raise InvalidRequest(field_name, "is longer than any deployment can hold") from None


def reminder_seconds(value: Any, field_name: str) -> tuple[timedelta, ...]:
    """Accept a list of whole numbers of seconds, as an event or a variable brings reminders.

    Raises:
        InvalidRequest: anything else.
    """
    if not isinstance(value, list | tuple):
        raise InvalidRequest(field_name, f"must be a list of seconds, got {text.kind(value)}")
    return accept_reminders([seconds(delay, field_name) for delay in value], field_name)


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


def accept_approval_id(value: Any, field_name: str) -> str:
    """Accept the id of an approval.

    Raises:
        InvalidRequest: anything else.
    """
    given = text.line(value, field_name)
    if not text.is_approval_id(given):
        raise InvalidRequest(field_name, f"must be the id of an approval, got {text.shown(given)}")
    return given


def accept_traceparent(value: Any, field_name: str) -> str:
    """Accept a trace context as W3C's header `traceparent` has it.

    Raises:
        InvalidRequest: anything else.
    """
    given = text.line(value, field_name)
    found = _TRACEPARENT.fullmatch(given)
    if not found or not (found["trace"].strip("0") and found["parent"].strip("0")):
        rule = "must be like 00-<32 hex digits>-<16 hex digits>-01, in lower case"
        raise InvalidRequest(field_name, f"{rule}, got {text.shown(given)}")
    return given


_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}"
)
"""Version, trace, parent and flags (W3C Trace Context, section 3.2); neither id is all zeros."""


def accept_some_names(names: Any, field_name: str) -> tuple[str, ...]:
    """Accept a list of names that has one.

    Raises:
        InvalidRequest: anything else.
    """
    accepted = validate_names(names, field_name)
    if not accepted:
        raise InvalidRequest(field_name, "must name at least one, or be left out")
    return accepted


def accept_quorum(quorum: Any, field_name: str) -> Quorum:
    """Accept a `Quorum`.

    Raises:
        InvalidRequest: anything else.
    """
    if not isinstance(quorum, Quorum):
        rule = f"must be a Quorum, Quorum.at_least(2) say, got {text.kind(quorum)}"
        raise InvalidRequest(field_name, rule)
    return quorum


def accept_timeout(timeout: Any, field_name: str) -> timedelta | BusinessHours:
    """Accept a time to decide: whole seconds, at least 1, or business hours.

    Raises:
        InvalidRequest: anything else.
    """
    return timeout if isinstance(timeout, BusinessHours) else _timeout(timeout, field_name)


def _timeout(timeout: Any, field_name: str) -> timedelta:
    if not isinstance(timeout, timedelta):
        raise InvalidRequest(field_name, f"must be a timedelta, got {text.kind(timeout)}")
    if timeout < timedelta(seconds=1) or timeout % timedelta(seconds=1):
        raise InvalidRequest(field_name, f"must be whole seconds, at least 1, got {timeout}")
    return timeout


def accept_reminders(delays: Any, field_name: str) -> tuple[timedelta, ...]:
    """Accept delays, and sort them.

    Raises:
        InvalidRequest: anything else.
    """
    if isinstance(delays, str | bytes | Mapping) or not isinstance(delays, Iterable):
        raise InvalidRequest(field_name, f"must be a list of timedelta, got {text.kind(delays)}")
    accepted = tuple(sorted({_timeout(delay, field_name) for delay in delays}))
    if len(accepted) > MAX_REMINDERS:
        raise InvalidRequest(field_name, f"must be at most {MAX_REMINDERS}, got {len(accepted)}")
    return accepted


def accept_paths(paths: Any, field_name: str) -> tuple[str, ...]:
    """Accept paths to fields, each once.

    Raises:
        InvalidRequest: anything else.
    """
    if isinstance(paths, str | bytes | Mapping) or not isinstance(paths, Iterable):
        raise InvalidRequest(field_name, f"must be a list of fields, got {text.kind(paths)}")
    accepted = tuple(dict.fromkeys(text.line(path, field_name) for path in paths))
    if len(accepted) > MAX_SENSITIVE:
        raise InvalidRequest(field_name, f"must be at most {MAX_SENSITIVE}, got {len(accepted)}")
    size = sum(len(path.encode()) for path in accepted)
    if size > MAX_PATHS_BYTES:
        rule = f"must be at most {MAX_PATHS_BYTES:,} bytes together, got {size:,}"
        raise InvalidRequest(field_name, rule)
    return accepted


def accept_context(context: Any, _: str) -> Any:
    """Accept an object of JSON values as it is.

    Raises:
        InvalidRequest: anything else.
    """
    context_json(context)
    return context
