"""Settings of a deployment in memory, whose groups stand in no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hitl_approval.settings import Settings, known_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsInMemory(Settings):
    """What a test says to its functions.

    Attributes:
        people: that each group's name stands for.
    """

    people: Mapping[str, Sequence[str]]

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The people that each group's name stands for."""
        return known_groups(self.people)
