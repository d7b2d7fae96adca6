"""Whose turn it is: who is asked now, as stages, escalations and hand-overs have left it.

Who was asked first never changes on record, and neither do the rules. What changes is a `Turn`, and
each change of it is an event of the audit trail. The rest follows from the three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import is_whole
from hitl_approval.domain.text import person_key, spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What has changed since a request was made about who is asked.

    Attributes:
        stage: which stage is open, from 0.
        since: sequence of the audit event that has opened it.
        opened_at: when that was; None of the first stage, which the request itself has opened.
        passed: how many votes stood on record as each stage before ended, in their order.
        escalations: how many steps of the escalation the stage has behind it.
        handed_over: who has taken whose place in it, as (from, to), each place once.
    """

    stage: int = 0
    since: int = 1
    opened_at: datetime | None = None
    passed: tuple[int, ...] = ()
    escalations: int = 0
    handed_over: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The turn as JSON values; what is as it was at first is left out."""
        stage = {
            "stage": self.stage,
            "since": self.since,
            "opened_at": isoformat(self.opened_at) if self.opened_at else None,
            "passed": list(self.passed),
        }
        return {
            **(stage if self.stage else {}),
            **({"escalations": self.escalations} if self.escalations else {}),
            **({"handed_over": [[*each] for each in self.handed_over]} if self.handed_over else {}),
        }

    @property
    def votes(self) -> int:
        """How many of the votes on record belong to the stages before."""
        return self.passed[-1] if self.passed else 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: something else.
        """
        numbers = {name: values[name] for name in _NUMBERS if name in values}
        passed = tuple(values.get("passed", ()))
        if not all(is_whole(number, 0) for number in (*numbers.values(), *passed)):
            msg = "turn must have whole numbers"
            raise ValueError(msg)
        opened_at = values.get("opened_at")
        handed_over = tuple((str(one), str(other)) for one, other in values.get("handed_over", ()))
        return cls(
            **numbers,
            passed=passed,
            opened_at=parse_time(opened_at) if opened_at else None,
            handed_over=handed_over,
        )


FIRST = Turn()
"""Of a request as it was made."""
_NUMBERS = ("stage", "since", "escalations")


def first_asked(approvers: tuple[str, ...], policy: Policy, turn: Turn) -> tuple[str, ...]:
    """Who was asked when the open stage began.

    Args:
        approvers: of the first stage; none: anyone may answer.
        policy: the rules.
        turn: whose turn it is.
    """
    return tuple(policy.stages[turn.stage - 1].approvers) if turn.stage else approvers


def asked(approvers: tuple[str, ...], policy: Policy, turn: Turn) -> tuple[str, ...]:
    """Who is asked now, each person once; none: anyone may answer.

    Who is asked in a later stage is not asked by an escalation before: they answer once, there.
    """
    names = first_asked(approvers, policy, turn)
    later = {person_key(name) for stage in policy.stages[turn.stage :] for name in stage.approvers}
    for step in policy.escalation[: turn.escalations]:
        to = tuple(name for name in step.to if person_key(name) not in later)
        names = to if step.mode == "replace" and to else (*names, *to)
    taken = {spelling(one): other for one, other in turn.handed_over}
    held: dict[str, str] = {}
    for name in names:
        holder = taken.get(spelling(name), name)
        held.setdefault(person_key(holder), holder)
    return tuple(held.values())


def place_of(name: str, turn: Turn) -> str:
    """Under which name the place was first asked that this person holds."""
    places = {person_key(other): one for one, other in turn.handed_over}
    return places.get(person_key(name), name)


def escalated(policy: Policy, turn: Turn) -> frozenset[str]:
    """Keys of those whom the escalation has asked: they count for every group of a quorum."""
    steps = policy.escalation[: turn.escalations]
    return frozenset(person_key(name) for step in steps for name in step.to)


def asked_by_now(approvers: tuple[str, ...], policy: Policy, turn: Turn) -> frozenset[str]:
    """Keys of those whom the request has named so far, whether they are still asked or not."""
    stages = [name for stage in policy.stages[: turn.stage] for name in stage.approvers]
    return frozenset(map(person_key, (*approvers, *stages))) | escalated(policy, turn)


def check_reachable(approvers: tuple[str, ...], policy: Policy, requester: str) -> None:
    """Refuse rules under which a stage could not be approved, whoever is asked in it by then.

    Args:
        approvers: of the first stage; none: anyone may answer.
        policy: the rules.
        requester: who asks, and may not decide unless the rules say so.

    Raises:
        ValueError: with the numbers, the people and so the fix.
    """
    for number in range(len(policy.stages) + 1):
        first = Turn(stage=number)
        quorum = policy.stages[number - 1].quorum if number else policy.quorum
        people = policy.deciders(first_asked(approvers, policy, first), requester)
        if not people and (number or approvers):
            msg = "name only the requester, who cannot decide"
            raise ValueError(msg)
        quorum.check(people)
        policy.check_rejections(people, quorum)
        for steps in range(1, len(policy.escalation) + 1):
            turn = Turn(stage=number, escalations=steps)
            names = policy.deciders(asked(approvers, policy, turn), requester)
            if not quorum.reached(names, quorum.needed(people), escalated(policy, turn)):
                msg = (
                    f"after step {steps} of the escalation only {list(names)} may decide, "
                    f"which is not enough for the quorum"
                )
                raise ValueError(msg)
