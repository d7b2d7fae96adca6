"""Delegations in memory; they pass the same contract suite as those on DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.text import spelling


@dataclass(slots=True)
class InMemoryDelegations:
    """Who answers for whom, in a dictionary."""

    given: dict[str, Delegation] = field(default_factory=dict)
    reads: int = field(default=0, repr=False)
    """How often it was asked."""

    def put(self, delegation: Delegation) -> None:
        """See `ports.Delegations.put`."""
        self.given[spelling(delegation.giver)] = delegation

    def end(self, giver: str) -> Delegation | None:
        """See `ports.Delegations.end`."""
        return self.given.pop(spelling(giver), None)

    def of(self, giver: str) -> Delegation | None:
        """See `ports.Delegations.of`."""
        self.reads += 1
        return self.given.get(spelling(giver))

    def to(
        self, name: str, *, after: datetime, givers: Sequence[str] | None = None
    ) -> Sequence[Delegation]:
        """See `ports.Delegations.to`."""
        self.reads += 1
        wanted = None if givers is None else {spelling(each) for each in givers}
        return [
            one
            for giver, one in sorted(self.given.items())
            if spelling(one.to) == spelling(name)
            and one.until > after
            and (wanted is None or giver in wanted)
        ]

    def stands(self, delegation: Delegation) -> bool:
        """Whether it is still what its giver has said."""
        now = self.given.get(spelling(delegation.giver))
        return now is not None and now.to_dict() == delegation.to_dict()
