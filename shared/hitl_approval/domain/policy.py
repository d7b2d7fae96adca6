"""Who may decide, and how many it takes. Pure: evaluated inside the same write as the vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.quorum import MAX_ANYONE, Quorum, is_whole
from hitl_approval.domain.stage import Escalate, Stage, escalation_of, stages_of
from hitl_approval.domain.text import kind, shown


@dataclass(frozen=True, slots=True)
class OnTimeout:
    """What silence means. Made by its two factories; there is none by which silence approves."""

    status: Literal["timeout", "rejected"] = "timeout"

    @classmethod
    def timeout(cls) -> Self:
        """The outcome is `timeout`, which the workflow can tell from a rejection."""
        return cls()

    @classmethod
    def reject(cls) -> Self:
        """The outcome is `rejected`, decided by the system."""
        return cls("rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules that a decision must satisfy.

    Attributes:
        quorum: approvals needed.
        rejections_needed: rejections that reject; 1 is a veto.
        on_timeout: what silence means.
        allow_self_approval: whether requesters may decide their own request.
        require_verified_identity: refuse names that were only typed in (`declared`).
        require_comment_on_rejection: a rejection must say why.
        stages: who is asked after the first have approved, stage by stage.
        escalation: who is asked when a stage takes too long, step by step.
    """

    quorum: Quorum = field(default_factory=Quorum.any_one)
    rejections_needed: int = 1
    on_timeout: OnTimeout = field(default_factory=OnTimeout.timeout)
    allow_self_approval: bool = False
    require_verified_identity: bool = False
    require_comment_on_rejection: bool = False
    stages: tuple[Stage, ...] = ()
    escalation: tuple[Escalate, ...] = ()

    def check(self, approvers: Sequence[str]) -> None:
        """Refuse rules that these approvers can never satisfy.

        Raises:
            ValueError: with the numbers, the people and so the fix.
        """
        self.quorum.check(approvers)
        self.check_rejections(approvers)

    def check_rejections(self, approvers: Sequence[str], quorum: Quorum | None = None) -> None:
        """Refuse so many rejections needed that these approvers can never cast them.

        Args:
            approvers: who may decide; none: anyone.
            quorum: of a later stage. Default: the policy's.

        Raises:
            ValueError: as `check` does.
        """
        quorum = quorum or self.quorum
        needed = self.rejections_needed
        if not is_whole(needed, 1):
            msg = f"rejections_needed must be at least 1, got {needed!r}: 1 lets anyone veto"
            raise ValueError(msg)
        votes = quorum.needed(approvers) + needed - 1
        if not approvers and votes > MAX_ANYONE:
            msg = (
                f"a quorum of {quorum.count} with rejections_needed of {needed} may take "
                f"{votes} votes, a record holds {MAX_ANYONE}: need fewer, or name the approvers"
            )
            raise ValueError(msg)
        if approvers and needed > len(approvers):
            msg = (
                f"rejections_needed is {needed} but {len(approvers)} approvers are configured: "
                f"{list(approvers)}"
            )
            raise ValueError(msg)

    def deciders(self, approvers: Sequence[str], requester: str) -> tuple[str, ...]:
        """Those of the named approvers who may decide what this person asked for."""
        if self.allow_self_approval:
            return tuple(approvers)
        return tuple(name for name in approvers if not may_be_one(name, requester))

    def outcome(
        self,
        approved: Sequence[str],
        *,
        rejections: int,
        left: Sequence[str] | None,
        needed: int,
        quorum: Quorum | None = None,
        anywhere: AbstractSet[str] = frozenset(),
    ) -> Literal["pending", "approved", "rejected"]:
        """What so many distinct people's votes amount to.

        Rejected once enough have rejected, or once too few of those who may decide are left to
        reach the quorum.

        Args:
            approved: who has approved, by the name under which they were first asked.
            rejections: how many have rejected.
            left: who may still answer; None: anyone.
            needed: approvals that the quorum needs of those who were first asked.
            quorum: of a later stage. Default: the policy's.
            anywhere: keys of those who count for every group of the quorum.
        """
        quorum = quorum or self.quorum
        if rejections >= self.rejections_needed:
            return "rejected"
        if approved and quorum.reached(approved, needed, anywhere):
            return "approved"
        if left is not None and not quorum.reached([*approved, *left], needed, anywhere):
            return "rejected"
        return "pending"

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON values, for the row and for the functions' environment."""
        return {
            **self.quorum.to_dict(),
            "rejections_needed": self.rejections_needed,
            "on_timeout": self.on_timeout.status,
            "allow_self_approval": self.allow_self_approval,
            "require_verified_identity": self.require_verified_identity,
            "require_comment_on_rejection": self.require_comment_on_rejection,
            **{name: [each.to_dict() for each in getattr(self, name)] for name in self._listed},
        }

    @property
    def _listed(self) -> tuple[str, ...]:
        """The lists of a policy that are not empty."""
        return tuple(name for name in ("stages", "escalation") if getattr(self, name))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote; anything else is an error, never a weaker policy.

        Raises:
            ValueError: naming the rule that is missing or malformed.
        """
        if not isinstance(values, Mapping):
            msg = f"must be an object, got {kind(values)}"
            raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
        missing = [rule for rule in cls().to_dict() if rule not in values]
        if missing:
            msg = f"{missing[0]} is missing"
            raise ValueError(msg)
        quorum = Quorum.from_dict(values)
        rules = {
            "rejections_needed": (is_whole(values["rejections_needed"], 1), _COUNT),
            "on_timeout": (values["on_timeout"] in ("timeout", "rejected"), "timeout or rejected"),
            **{rule: (isinstance(values[rule], bool), "true or false") for rule in _SWITCHES},
        }
        for rule, (fits, allowed) in rules.items():
            if not fits:
                msg = f"{rule} must be {allowed}, got {shown(values[rule])}"
                raise ValueError(msg)
        return cls(
            quorum=quorum,
            rejections_needed=values["rejections_needed"],
            on_timeout=OnTimeout(values["on_timeout"]),
            stages=stages_of(values.get("stages", ())),
            escalation=escalation_of(values.get("escalation", ())),
            **{rule: values[rule] for rule in _SWITCHES},
        )


_SWITCHES = ("allow_self_approval", "require_verified_identity", "require_comment_on_rejection")
_COUNT = "a whole number of at least 1"
