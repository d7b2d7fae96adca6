"""Who may decide, and how many it takes. Pure: evaluated inside the same write as the vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

QuorumKind = Literal["any_one", "at_least", "everyone"]


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
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            msg = f"quorum needs at least 1 approval, got {count!r}: use Quorum.at_least(1) or more"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules that a decision must satisfy.

    Attributes:
        quorum: approvals needed. One rejection always rejects (veto).
        allow_self_approval: whether requesters may decide their own request.
        require_verified_identity: refuse names that were only typed in (`declared`).
        require_comment_on_rejection: a rejection must say why.
    """

    quorum: Quorum = field(default_factory=Quorum.any_one)
    allow_self_approval: bool = False
    require_verified_identity: bool = False
    require_comment_on_rejection: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON values, for the row and for the functions' environment."""
        return {
            "quorum": self.quorum.kind,
            "quorum_count": self.quorum.count,
            "allow_self_approval": self.allow_self_approval,
            "require_verified_identity": self.require_verified_identity,
            "require_comment_on_rejection": self.require_comment_on_rejection,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote; a missing rule is an error, never a weaker policy.

        Raises:
            KeyError: a rule is missing.
        """
        return cls(
            quorum=Quorum(values["quorum"], int(values["quorum_count"])),
            allow_self_approval=values["allow_self_approval"],
            require_verified_identity=values["require_verified_identity"],
            require_comment_on_rejection=values["require_comment_on_rejection"],
        )
