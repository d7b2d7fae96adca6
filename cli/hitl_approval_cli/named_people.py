"""Whom a deployment names: who may be asked, and who its operators are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import listed_some, shown, spelling
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """What the approval function says of its deployment.

    Attributes:
        people: everybody who is named, groups as their people.
        groups: names that stand for people.
        operators: who may withdraw and hand over any request.
        others: whether requests may ask others than these.
    """

    people: Sequence[str]
    groups: Sequence[str]
    operators: Sequence[str]
    others: bool

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """As the approval function has them; one of an older version has no groups."""
        said = deployment.call({"action": "people"})
        others = said["others"] or "groups" not in said
        operators = said.get("operators", ())
        return cls(said["people"], said.get("groups", ()), operators, others)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those of these names that the deployment does not name; none where anybody may be."""
        if self.others:
            return []
        known = set(map(spelling, (*self.people, *self.groups)))
        return [name for name in names if spelling(name) not in known]

    @classmethod
    def find(cls, deployment: Deployment) -> Self | None:
        """The same; None where it does not say: what follows is refused by whom it concerns."""
        try:
            return cls.of(deployment)
        except CliError:
            return None

    @property
    def in_words(self) -> str:
        """Who may be asked, and who may hand over and withdraw."""
        asked = listed_some([*self.groups, *self.people]) or "nobody"
        operators = listed_some(self.operators) or "none"
        return f"it names {asked}; operators: {operators}"


def check_named(deployment: Deployment, event: Mapping[str, Any]) -> None:
    """Refuse here what the workflow would refuse, whose failed start would raise an alarm.

    Args:
        deployment: that is to be asked.
        event: of its workflow.

    Raises:
        InvalidRequest: the deployment does not name somebody who is to be asked. Who may start the
            workflow and not ask the approval function is refused by the workflow.
    """
    asked = {field: names for field, names in _names_of(event).items() if names}
    named = NamedPeople.find(deployment) if asked else None
    if named is None:
        return
    for field, names in asked.items():
        if unknown := named.unknown(names):
            ways = listed_some([*named.groups, *named.people])
            who = shown(unknown[0])
            raise InvalidRequest(
                field, f"names {who}, whom the deployment does not: name of {ways}"
            )


def _names_of(event: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """The people and groups that an event names, by its fields."""
    stages, steps = event.get("stages") or (), event.get("escalation") or ()
    return {
        "approvers": event.get("approvers") or (),
        "stages": [
            *(name for stage in stages for name in stage.get("approvers", ())),
            *(group["name"] for stage in stages for group in stage.get("quorum_groups", ())),
        ],
        "escalation": [name for step in steps for name in step["to"]],
    }
