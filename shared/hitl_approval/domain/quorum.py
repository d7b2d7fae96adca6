"""How many of the people who are asked must approve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

from hitl_approval.domain.text import kind, person_key, shown

QuorumKind = Literal["any_one", "at_least", "everyone", "groups"]

MAX_VOTES = 500
"""Votes that a record holds: see `room`, which counts their bytes."""
MAX_ANYONE = 20
"""Votes that it holds where nobody is named, and names may be of any length."""
_COUNT = "a whole number of at least 1"


@dataclass(frozen=True, slots=True)
class GroupQuorum:
    """How many members of one group must approve.

    Attributes:
        name: of the group.
        count: how many of its members.
        people: the members, once they are known.
    """

    name: str
    count: int
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many distinct approvers must approve. Made by its four factories."""

    kind: QuorumKind = "any_one"
    count: int = 1
    groups: tuple[GroupQuorum, ...] = ()

    @property
    def asks_several(self) -> bool:
        """Whether more than one person may have to approve."""
        return self.kind == "everyone" or self.count > 1

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
        if not is_whole(count, 1):
            # CDK writes as a fraction what only CloudFormation will know.
            got = "a fraction or a token" if isinstance(count, float) else shown(count)
            msg = f"quorum needs at least 1 approval, got {got}: use Quorum.at_least(1) or more"
            raise ValueError(msg)
        return cls("at_least", count)

    @classmethod
    def everyone(cls) -> Self:
        """Every named approver must approve; the request must name them."""
        return cls("everyone", 0)

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """So many members of each of these groups must approve; only they are asked.

        One approval counts for every group that the person is a member of.

        Args:
            counts: how many, at least 1, by a group's name: `{"finance": 1, "security": 2}`.

        Raises:
            ValueError: no groups, or a count is not an integer of at least 1.
        """
        if not isinstance(counts, Mapping) or not counts:
            msg = 'quorum must name groups: use Quorum.of({"finance": 1, "security": 2}), say'
            raise ValueError(msg)
        for name, count in counts.items():
            if not isinstance(name, str) or not name.strip():
                msg = f"quorum must name groups by their names, got {kind(name)}"
                raise ValueError(msg)
            if not is_whole(count, 1):
                msg = f"quorum needs at least 1 approval of {name!r}, got {shown(count)}"
                raise ValueError(msg)
        groups = tuple(GroupQuorum(name, count) for name, count in counts.items())
        return cls("groups", sum(counts.values()), groups)

    def with_people(self, members: Callable[[str], Sequence[str]]) -> Quorum:
        """The quorum with the members of its groups.

        Args:
            members: says who the members of a group are.
        """
        groups = tuple(replace(group, people=tuple(members(group.name))) for group in self.groups)
        return replace(self, groups=groups)

    def needed(self, approvers: Sequence[str]) -> int:
        """Approvals needed when these people are asked (none named: anyone may approve)."""
        return len(approvers) if self.kind == "everyone" else self.count

    def fewest(self, approvers: Sequence[str]) -> int:
        """The fewest people who can reach it, of these."""
        counts = [group.count for group in self.groups]
        return max(counts) if counts else self.needed(approvers)

    def reached(
        self, approved: Sequence[str], needed: int, anywhere: AbstractSet[str] = frozenset()
    ) -> bool:
        """Whether the approvals of these people are enough.

        Args:
            approved: distinct people, by the name under which they were first asked.
            needed: as `needed` says it of those who were first asked.
            anywhere: keys of those who count for every group.
        """
        if self.kind != "groups":
            return len(approved) >= needed
        return all(votes_of(group, approved, anywhere) >= group.count for group in self.groups)

    def check(self, approvers: Sequence[str]) -> None:
        """Refuse a quorum that these approvers can never reach.

        Raises:
            ValueError: with the numbers, the people and so the fix.
        """
        if self.kind == "everyone" and not approvers:
            msg = "quorum is everyone but no approvers are configured: name them"
            raise ValueError(msg)
        for group in self.groups:
            able = votes_of(group, approvers, frozenset())
            if able < group.count:
                msg = (
                    f"quorum needs {group.count} approvals of {group.name!r} but {able} of its "
                    f"members may decide: {list(group.people)}"
                )
                raise ValueError(msg)
        if self.kind != "groups" and approvers and self.needed(approvers) > len(approvers):
            msg = (
                f"quorum needs {self.needed(approvers)} approvals but {len(approvers)} approvers "
                f"are configured: {list(approvers)}"
            )
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """The quorum as JSON values, under the names that a policy has."""
        groups = [
            {"name": group.name, "count": group.count, "people": list(group.people)}
            for group in self.groups
        ]
        return {
            "quorum": self.kind,
            "quorum_count": self.count,
            **({"quorum_groups": groups} if groups else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Quorum:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: naming what is missing or malformed.
        """
        for name in ("quorum", "quorum_count"):
            if name not in values:
                msg = f"{name} is missing"
                raise ValueError(msg)
        if values["quorum"] not in get_args(QuorumKind):
            msg = "quorum must be any_one, at_least, everyone or groups, got "
            raise ValueError(msg + shown(values["quorum"]))
        if not is_whole(values["quorum_count"], 0 if values["quorum"] == "everyone" else 1):
            msg = f"quorum_count must be {_COUNT}, got {shown(values['quorum_count'])}"
            raise ValueError(msg)
        groups = values.get("quorum_groups", ())
        if bool(groups) != (values["quorum"] == "groups"):
            msg = "quorum_groups must be there for a quorum of groups, and for no other"
            raise ValueError(msg)
        try:
            found = tuple(
                GroupQuorum(each["name"], each["count"], tuple(each["people"])) for each in groups
            )
        except (KeyError, TypeError):
            msg = "quorum_groups must be a list of names, counts and people"
            raise ValueError(msg) from None
        for each in found:
            texts = all(isinstance(name, str) for name in (each.name, *each.people))
            if not (texts and is_whole(each.count, 1)):
                msg = f"quorum_groups must count at least 1 of each group, got {shown(each.name)}"
                raise ValueError(msg)
        return cls(values["quorum"], values["quorum_count"], found)


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number of at least so many."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def votes_of(group: GroupQuorum, names: Sequence[str], anywhere: AbstractSet[str]) -> int:
    """How many of these people count for a group."""
    members = {person_key(name) for name in group.people} | anywhere
    return sum(person_key(name) in members for name in names)
