"""Who is asked next: stages, one after the other, and the steps of an escalation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal, Self, get_args

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.quorum import Quorum, is_whole
from hitl_approval.domain.text import kind, shown

MAX_STAGES = 10
"""Most stages of one request: each waits for people."""
MAX_ESCALATION = 10
"""Most steps of one escalation: more would ask the whole company."""
Mode = Literal["add", "replace"]
"""Whether who is asked by an escalation is asked besides the others, or in their place."""


@dataclass(frozen=True, slots=True)
class Stage:
    """People who are asked once the stage before has approved.

    Attributes:
        approvers: who is asked: people or groups. Leave it out for `Quorum.of`, which names them.
        quorum: how many of them must approve.
        timeout: their time to decide, whole seconds. Default: the request's.

    Raises:
        ValueError: one of them is something else.
    """

    approvers: Sequence[str] = ()
    quorum: Quorum = field(default_factory=Quorum.any_one)
    timeout: timedelta | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "approvers", _names(self.approvers, "a stage's approvers"))
        if not isinstance(self.quorum, Quorum):
            msg = f"a stage's quorum must be a Quorum, got {kind(self.quorum)}"
            raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
        if bool(self.approvers) == bool(self.quorum.groups and not self.quorum.groups[0].people):
            msg = "a stage must name its approvers, or Quorum.of names them, not both"
            raise ValueError(msg)
        if self.timeout is not None:
            _check_time(self.timeout, "a stage's timeout")

    def to_dict(self) -> dict[str, Any]:
        """The stage as JSON values."""
        seconds = None if self.timeout is None else int(self.timeout.total_seconds())
        return {
            "approvers": list(self.approvers),
            **self.quorum.to_dict(),
            **({"timeout_seconds": seconds} if seconds is not None else {}),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: naming what is missing or malformed.
        """
        given = _object(values, "a stage", ("approvers", "timeout_seconds", *_QUORUM))
        return cls(
            given.get("approvers", ()),
            Quorum.from_dict(given) if "quorum" in given else Quorum.any_one(),
            _seconds(given["timeout_seconds"], "timeout_seconds")
            if "timeout_seconds" in given
            else None,
        )


@dataclass(frozen=True, slots=True)
class Escalate:
    """One step of an escalation: who is asked when a stage has taken so long.

    Attributes:
        after: how long after the stage has begun, whole seconds.
        to: who is asked then: people or groups.
        mode: whether besides those who were asked, or in their place.

    Raises:
        ValueError: one of them is something else.
    """

    after: timedelta
    to: Sequence[str]
    mode: Mode = "add"

    def __post_init__(self) -> None:
        _check_time(self.after, "an escalation's after")
        object.__setattr__(self, "to", _names(self.to, "an escalation's to"))
        if not self.to:
            msg = "an escalation must name who is asked then: it never decides by itself"
            raise ValueError(msg)
        if self.mode not in get_args(Mode):
            msg = f"an escalation's mode must be add or replace, got {shown(self.mode)}"
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "after_seconds": int(self.after.total_seconds()),
            "to": list(self.to),
            "mode": self.mode,
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: naming what is missing or malformed.
        """
        given = _object(values, "an escalation", ("after_seconds", "to", "mode"))
        for name in ("after_seconds", "to"):
            if name not in given:
                msg = f"an escalation's {name} is missing"
                raise ValueError(msg)
        after = _seconds(given["after_seconds"], "after_seconds")
        return cls(after, given["to"], given.get("mode", "add"))


def names_of(stage: Stage) -> tuple[str, ...]:
    """The people and groups that a stage asks, as it names them."""
    return (*stage.approvers,) or tuple(group.name for group in stage.quorum.groups)


def stages_of(values: Any) -> tuple[Stage, ...]:
    """Stages as JSON values have them.

    Raises:
        ValueError: something else, or too many.
    """
    return tuple(Stage.from_dict(each) for each in _list(values, "stages", MAX_STAGES))


def escalation_of(values: Any) -> tuple[Escalate, ...]:
    """The steps of an escalation as JSON values have them.

    Raises:
        ValueError: something else, too many, or one that comes before the step before it.
    """
    found = _list(values, "escalation", MAX_ESCALATION)
    return in_order(tuple(Escalate.from_dict(each) for each in found))


def in_order(steps: tuple[Escalate, ...]) -> tuple[Escalate, ...]:
    """The steps of an escalation, each later than the one before.

    Raises:
        ValueError: one is not.
    """
    for earlier, later in pairwise(steps):
        if later.after <= earlier.after:
            msg = f"each step of an escalation must come later than the one before: {later.after}"
            raise ValueError(msg)
    return steps


def accept_stages(stages: Any, field_name: str) -> tuple[Stage, ...]:
    """Accept a list of stages.

    Raises:
        InvalidRequest: something else.
    """
    if isinstance(stages, str | bytes | Mapping) or not isinstance(stages, Iterable):
        raise InvalidRequest(field_name, f"must be a list of Stage, got {kind(stages)}")
    accepted = tuple(stages)
    for stage in accepted:
        if not isinstance(stage, Stage):
            raise InvalidRequest(field_name, f"must be a list of Stage, got {kind(stage)}")
        validate_names(stage.approvers, field_name)
    if len(accepted) > MAX_STAGES:
        raise InvalidRequest(field_name, f"must be at most {MAX_STAGES}, got {len(accepted)}")
    return accepted


def stages_from_json(values: Any, field_name: str) -> tuple[Stage, ...]:
    """Accept stages as an event brings them.

    Raises:
        InvalidRequest: something else.
    """
    _check_list(values, field_name)
    try:
        return accept_stages(stages_of(values), field_name)
    except ValueError as error:
        raise InvalidRequest(field_name, str(error)) from None


def accept_escalation(steps: Any, field_name: str) -> tuple[Escalate, ...]:
    """Accept the steps of an escalation.

    Raises:
        InvalidRequest: something else.
    """
    if isinstance(steps, str | bytes | Mapping) or not isinstance(steps, Iterable):
        raise InvalidRequest(field_name, f"must be a list of Escalate, got {kind(steps)}")
    accepted = tuple(steps)
    for step in accepted:
        if not isinstance(step, Escalate):
            raise InvalidRequest(field_name, f"must be a list of Escalate, got {kind(step)}")
        validate_names(step.to, field_name)
    if len(accepted) > MAX_ESCALATION:
        raise InvalidRequest(field_name, f"must be at most {MAX_ESCALATION}, got {len(accepted)}")
    try:
        return in_order(accepted)
    except ValueError as error:
        raise InvalidRequest(field_name, str(error)) from None


def escalation_from_json(values: Any, field_name: str) -> tuple[Escalate, ...]:
    """Accept an escalation as an event brings it.

    Raises:
        InvalidRequest: something else.
    """
    _check_list(values, field_name)
    try:
        return accept_escalation(escalation_of(values), field_name)
    except ValueError as error:
        raise InvalidRequest(field_name, str(error)) from None


def _check_list(values: Any, field_name: str) -> None:
    if not isinstance(values, list | tuple):
        raise InvalidRequest(field_name, f"must be a list of objects, got {kind(values)}")


_QUORUM = ("quorum", "quorum_count", "quorum_groups")


def _names(names: Any, what: str) -> tuple[str, ...]:
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Sequence):
        msg = f"{what} must be a list of names, got {kind(names)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    for name in names:
        if not isinstance(name, str) or not name.strip():
            msg = f"{what} must be names, got {kind(name)}"
            raise ValueError(msg)
    return tuple(names)


def _check_time(value: Any, what: str) -> None:
    if not isinstance(value, timedelta):
        msg = f"{what} must be a timedelta, got {kind(value)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    if value < timedelta(seconds=1) or value % timedelta(seconds=1):
        msg = f"{what} must be whole seconds, at least 1, got {value}"
        raise ValueError(msg)


def _seconds(value: Any, what: str) -> timedelta:
    if not is_whole(value, 1):
        msg = f"{what} must be a whole number of at least 1, got {shown(value)}"
        raise ValueError(msg)
    try:
        return timedelta(seconds=value)
    except OverflowError:
        msg = f"{what} is longer than any deployment can hold"
        raise ValueError(msg) from None


def _object(values: Any, what: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        msg = f"{what} must be an object, got {kind(values)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        msg = f"{what} has no {shown(unknown[0])} ({', '.join(known)})"
        raise ValueError(msg)
    return values


def _list(values: Any, what: str, most: int) -> Sequence[Any]:
    if not isinstance(values, list | tuple):
        msg = f"{what} must be a list, got {kind(values)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    if len(values) > most:
        msg = f"{what} must be at most {most}, got {len(values)}"
        raise ValueError(msg)
    return values
