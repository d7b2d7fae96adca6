"""Settings of a deployment in memory, whose groups and rules stand in no file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hitl_approval.contract import Env
from hitl_approval.domain.naming import known_groups
from hitl_approval.domain.rule import Rules
from hitl_approval.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsInMemory(Settings):
    """What a test says to its functions.

    Attributes:
        people: that each group's name stands for.
        given: the rules. Default: none.
    """

    people: Mapping[str, Sequence[str]]
    given: Rules = field(default_factory=Rules)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The people that each group's name stands for."""
        return known_groups(self.people)

    @property
    def rules(self) -> Rules:
        """Which requests are decided otherwise."""
        return self.given


def reminders_of(delays: Sequence[timedelta] | None) -> dict[str, str]:
    """The variable that says when a deployment reminds; none where it leaves that to requests."""
    if delays is None:
        return {}
    return {Env.REMINDERS: json.dumps([int(delay.total_seconds()) for delay in delays])}
