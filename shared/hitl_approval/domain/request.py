"""What is asked: an `ApprovalRequest`, valid from the moment it exists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.policy import Quorum

MAX_APPROVERS = 20
"""Most approvers of one request: their votes, with comments, fit one DynamoDB item."""
MAX_CONTEXT_BYTES = 150_000
"""Largest context, as UTF-8 JSON: with the votes it fits an item of 400 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A question for people.

    Attributes:
        subject: one line that says what is asked, at most 1,000 characters.
        requester: who asks, at most 320 characters.
        approvers: who may decide: people, or groups that the deployment knows; at most 20 people
            in all. Default: the deployment's approvers, else anyone.
        quorum: how many must approve. Default: the deployment's quorum.
        timeout: time to decide, whole seconds, at least 1 s. Default: the deployment's.
        context: JSON values that the approver sees, at most 150,000 bytes.
        document_id: the caller's own id of what is decided, if it has one.

    Raises:
        InvalidRequest: a field breaks its rule.
    """

    subject: str
    requester: str
    approvers: Sequence[str] = ()
    quorum: Quorum | None = None
    timeout: timedelta | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__  # the dataclass is frozen for everyone else
        put(self, "subject", text.line(self.subject, "subject"))
        put(self, "requester", text.name(self.requester, "requester"))
        put(self, "approvers", validate_names(self.approvers, "approvers"))
        if self.document_id is not None:
            put(self, "document_id", text.line(self.document_id, "document_id"))
        if self.timeout is not None:
            _check_timeout(self.timeout)
        context_json(self.context)

    def timeout_or(self, default: timedelta, *, maximum: timedelta) -> timedelta:
        """The time to decide under a deployment's default and limit.

        Raises:
            InvalidRequest: longer than the deployment can hold.
        """
        timeout = self.timeout or default
        if timeout > maximum:
            raise InvalidRequest(
                "timeout_seconds",
                f"must be at most {int(maximum.total_seconds())}, which this deployment's "
                f"execution timeout can hold, got {int(timeout.total_seconds())}",
            )
        return timeout


def validate_names(names: Any, field_name: str) -> tuple[str, ...]:
    """Accept a list of distinct people.

    Raises:
        InvalidRequest: not a list of names, too many, or one person twice.
    """
    if isinstance(names, str | Mapping) or not isinstance(names, Iterable):
        raise InvalidRequest(field_name, f"must be a list of names, got {text.kind(names)}")
    accepted = tuple(text.name(name, field_name) for name in names)
    if len(accepted) > MAX_APPROVERS:
        raise InvalidRequest(field_name, f"must be at most {MAX_APPROVERS}, got {len(accepted)}")
    seen: set[str] = set()
    for name in accepted:
        if text.person_key(name) in seen:
            raise InvalidRequest(field_name, f"names {name!r} twice")
        seen.add(text.person_key(name))
    return accepted


Members = Callable[[str], Sequence[str] | None]
"""Says which people a name stands for; None: the name is a person's own."""


def members_of(groups: Mapping[str, Sequence[str]]) -> Members:
    """The members of groups known beforehand; case and spaces of a group's name do not matter."""
    by_key = {text.person_key(name): tuple(people) for name, people in groups.items()}
    return lambda name: by_key.get(text.person_key(name))


def expand(names: Sequence[str], members: Members, field_name: str) -> tuple[str, ...]:
    """The people that these names stand for, each once, in the order in which they are named.

    Raises:
        InvalidRequest: a group is empty, a member is not a name, or there are too many in all.
    """
    expanded: dict[str, str] = {}
    for name in names:
        found = members(name)
        if found is not None and not found:
            raise InvalidRequest(field_name, f"names the group {name!r}, which has no members")
        for member in (name,) if found is None else validate_names(found, field_name):
            expanded.setdefault(text.person_key(member), member)
    return validate_names(tuple(expanded.values()), field_name)


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


def context_json(context: Any) -> str:
    """The context as it is stored and digested.

    Raises:
        InvalidRequest: not an object of JSON values, or too large.
    """
    if not isinstance(context, Mapping):
        raise InvalidRequest("context", f"must be an object, got {text.kind(context)}")
    try:
        stored = json.dumps(dict(context), sort_keys=True, ensure_ascii=False, allow_nan=False)
        size = len(stored.encode())
    except RecursionError:
        raise InvalidRequest("context", "is nested too deeply") from None
    except UnicodeEncodeError:
        raise InvalidRequest("context", "contains a lone surrogate") from None
    except (TypeError, ValueError):
        raise InvalidRequest("context", "must hold JSON values only") from None
    if size > MAX_CONTEXT_BYTES:
        raise InvalidRequest("context", f"must be at most {MAX_CONTEXT_BYTES} bytes, got {size}")
    return stored


def _check_timeout(timeout: timedelta) -> None:
    if not isinstance(timeout, timedelta):
        raise InvalidRequest("timeout", f"must be a timedelta, got {text.kind(timeout)}")
    if timeout < timedelta(seconds=1) or timeout % timedelta(seconds=1):
        raise InvalidRequest("timeout", f"must be whole seconds, at least 1, got {timeout}")
