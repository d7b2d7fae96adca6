"""Who may decide, and how many it takes. Pure: evaluated inside the same write as the vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.text import kind, shown

QuorumKind = Literal["any_one", "at_least", "everyone"]

MAX_VOTES = 20
"""Votes that a record holds, all with comments, beside a full context: DynamoDB's item of 400 KB.
"""


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many distinct approvers must approve. Made by its three factories."""

    kind: QuorumKind = "any_one"
    count: int = 1

    @classmethod
    def any_one(cls) -> Self:
        """One approval is enough."""
        return cls()

    @classmethod
    def at_least(cls, count: int) -> Self:
        """`count` distinct people must approve.

        Raises:
            ValueError: `count` is not an integer of at least 1.
        """
        if not _whole(count, 1):
            # CDK writes as a fraction what only CloudFormation will know.
            got = "a fraction or a token" if isinstance(count, float) else shown(count)
            msg = f"quorum needs at least 1 approval, got {got}: use Quorum.at_least(1) or more"
            raise ValueError(msg)
        return cls("at_least", count)

    @classmethod
    def everyone(cls) -> Self:
        """Every named approver must approve; the request must name them."""
        return cls("everyone", 0)

    def needed(self, approvers: Sequence[str]) -> int:
        """Approvals needed when these people are asked (none named: anyone may approve)."""
        return len(approvers) if self.kind == "everyone" else self.count

    def check(self, approvers: Sequence[str]) -> None:
        """Refuse a quorum that these approvers can never reach.

        Raises:
            ValueError: with the numbers, the people and so the fix.
        """
        if self.kind == "everyone" and not approvers:
            msg = "quorum is everyone but no approvers are configured: name them"
            raise ValueError(msg)
        if approvers and self.needed(approvers) > len(approvers):
            msg = (
                f"quorum needs {self.count} approvals but {len(approvers)} approvers "
                f"are configured: {list(approvers)}"
            )
            raise ValueError(msg)


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
    """

    quorum: Quorum = field(default_factory=Quorum.any_one)
    rejections_needed: int = 1
    on_timeout: OnTimeout = field(default_factory=OnTimeout.timeout)
    allow_self_approval: bool = False
    require_verified_identity: bool = False
    require_comment_on_rejection: bool = False

    def check(self, approvers: Sequence[str]) -> None:
        """Refuse rules that these approvers can never satisfy.

        Raises:
            ValueError: with the numbers, the people and so the fix.
        """
        self.quorum.check(approvers)
        needed = self.rejections_needed
        if not _whole(needed, 1):
            msg = f"rejections_needed must be at least 1, got {needed!r}: 1 lets anyone veto"
            raise ValueError(msg)
        votes = self.quorum.needed(approvers) + needed - 1
        if not approvers and votes > MAX_VOTES:
            msg = (
                f"a quorum of {self.quorum.count} with rejections_needed of {needed} may take "
                f"{votes} votes, a record holds {MAX_VOTES}: need fewer, or name the approvers"
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
        self, deciders: Sequence[str], *, approvals: int, rejections: int
    ) -> Literal["pending", "approved", "rejected"]:
        """What so many distinct people's votes amount to.

        Rejected once enough have rejected, or once too few of those who may decide (none named:
        anyone) are left to reach the quorum.
        """
        needed = self.quorum.needed(deciders)
        if rejections >= self.rejections_needed:
            return "rejected"
        if approvals and approvals >= needed:
            return "approved"
        out_of_reach = bool(deciders) and len(deciders) - rejections < needed
        return "rejected" if out_of_reach else "pending"

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON values, for the row and for the functions' environment."""
        return {
            "quorum": self.quorum.kind,
            "quorum_count": self.quorum.count,
            "rejections_needed": self.rejections_needed,
            "on_timeout": self.on_timeout.status,
            "allow_self_approval": self.allow_self_approval,
            "require_verified_identity": self.require_verified_identity,
            "require_comment_on_rejection": self.require_comment_on_rejection,
        }

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
        least = 0 if values["quorum"] == "everyone" else 1
        rules = {
            "quorum": (values["quorum"] in get_args(QuorumKind), "any_one, at_least or everyone"),
            "quorum_count": (_whole(values["quorum_count"], least), _COUNT),
            "rejections_needed": (_whole(values["rejections_needed"], 1), _COUNT),
            "on_timeout": (values["on_timeout"] in ("timeout", "rejected"), "timeout or rejected"),
            **{rule: (isinstance(values[rule], bool), "true or false") for rule in _SWITCHES},
        }
        for rule, (fits, allowed) in rules.items():
            if not fits:
                msg = f"{rule} must be {allowed}, got {shown(values[rule])}"
                raise ValueError(msg)
        return cls(
            quorum=Quorum(values["quorum"], values["quorum_count"]),
            rejections_needed=values["rejections_needed"],
            on_timeout=OnTimeout(values["on_timeout"]),
            **{rule: values[rule] for rule in _SWITCHES},
        )


_SWITCHES = ("allow_self_approval", "require_verified_identity", "require_comment_on_rejection")
_COUNT = "a whole number of at least 1"


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
