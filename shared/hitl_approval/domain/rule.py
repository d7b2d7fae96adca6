"""A deployment's rules: what becomes of a request that a condition is surely true of.

The first rule that matches is followed. A rule whose condition depends on a field that could not be
read does not match, and no rule after it approves: nothing is approved that was not read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self

from hitl_approval.domain.applied_rule import AppliedRule, End
from hitl_approval.domain.condition import (
    Condition,
    Facts,
    Unread,
    check_size,
    paths_of,
)
from hitl_approval.domain.condition_json import condition_of
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.text import canonical_json, kind, shown

RULES_FILE: Final = "hitl_approval_rules.json"
"""In a layer's `python` folder. JSON list, as `Rules.to_json` writes it."""
MAX_RULES = 50
"""Most rules of a deployment: about four screens of a table."""
MAX_UNREAD = 20
"""Fields that an audit event names as not read; it says how many more there are."""

State = Literal["matched", "no match", "unreadable", "not reached"]
"""Of a rule: `unreadable` where it depends on a field that could not be read."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENDS: Mapping[str, End] = {"approve": "approved", "reject": "rejected"}
_KEYS = ("id", "when", "then", "approvers", "quorum")


@dataclass(frozen=True, slots=True)
class Then:
    """How a rule ends a request at once, without asking anybody. Made by `approve` and `reject`."""

    end: End


def approve() -> Then:
    """The request ends as approved, by the rule, if everything that rules have asked was read."""
    return Then("approved")


def reject() -> Then:
    """The request ends as rejected, by the rule."""
    return Then("rejected")


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of the requests that a condition is true of.

    Attributes:
        id: names the rule on record: letters, digits and any of `._-`, at most 64.
        when: the condition. Default: every request that no rule before has matched.
        then: ends the request at once, `approve()` say. Default: people are asked.
        approvers: people or groups who are asked. Default: the deployment's.
        quorum: how many of them must approve. Default: the deployment's.

    Raises:
        ValueError: it says nothing, two things that exclude each other, or approves everything.
    """

    id: str
    when: Condition | None = None
    then: Then | None = None
    approvers: Sequence[str] = ()
    quorum: Quorum | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            msg = f"rule must have an id of letters, digits and ._-, got {shown(self.id)}"
            raise ValueError(msg)
        try:
            names = validate_names(self.approvers, "approvers")
        except InvalidRequest as error:
            raise self._refused(str(error)) from None
        object.__setattr__(self, "approvers", names)
        if self.when is not None:
            if not isinstance(self.when, Condition):
                raise self._refused(
                    f'when must be like field("amount") < 100, got {_of(self.when)}'
                )
            check_size(self.when, f"rule {self.id}: when")
        if self.then is not None and not isinstance(self.then, Then):
            raise self._refused(f"then must be approve() or reject(), got {_of(self.then)}")
        if self.quorum is not None and not isinstance(self.quorum, Quorum):
            raise self._refused(f"quorum must be Quorum.at_least(2), say, got {_of(self.quorum)}")
        if self.approvers and self.quorum is not None and self.quorum.groups:
            raise self._refused("has a quorum of groups, which name who is asked: no approvers")
        asks = bool(self.approvers) or self.quorum is not None
        if asks and self.then is not None:
            raise self._refused("either ends a request (then) or says who decides, not both")
        if not asks and self.then is None:
            raise self._refused("says nothing: give it approvers, a quorum, or then")
        if self.when is None and self.then == approve():
            raise self._refused("approves everything: say when, by fields that must be read")

    def _refused(self, problem: str) -> ValueError:
        return ValueError(f"rule {self.id}: {problem}")

    def to_json(self) -> dict[str, Any]:
        """The rule as JSON values."""
        quorum = self.quorum
        values = {
            "id": self.id,
            "when": None if self.when is None else self.when.to_json(),
            "then": next((word for word, end in _ENDS.items() if self.then == Then(end)), None),
            "approvers": list(self.approvers) or None,
            "quorum": quorum and quorum_to_json(quorum),
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, values: Any, where: str) -> Self:
        """Read back what `to_json` wrote, or somebody.

        Raises:
            ValueError: naming the place and what it must be.
        """
        if not isinstance(values, Mapping):
            msg = f"{where} must be an object, got {kind(values)}"
            raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
        unknown = [name for name in values if name not in _KEYS]
        if unknown:
            msg = f"{where} has {shown(unknown[0])}, which no rule knows: use {', '.join(_KEYS)}"
            raise ValueError(msg)
        then = values.get("then")
        if then is not None and (not isinstance(then, str) or then not in _ENDS):
            msg = f"{where}.then must be approve or reject, got {shown(then)}"
            raise ValueError(msg)
        return cls(
            id=values.get("id", ""),
            when=condition_of(values["when"], f"{where}.when") if "when" in values else None,
            then=None if then is None else Then(_ENDS[then]),
            approvers=values.get("approvers", ()),
            quorum=quorum_of(values["quorum"], where) if "quorum" in values else None,
        )


@dataclass(frozen=True, slots=True)
class RuleReading:
    """What became of one rule when a request was read.

    Attributes:
        id: of the rule.
        state: whether it matched, or why not.
        unread: the fields that it asked for and that could not be read.
    """

    id: str
    state: State
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a deployment's rules say of one request.

    Attributes:
        digest: of all the rules.
        rule: the one that matched; None where none did.
        end: how it ends the request; None where people decide.
        held_back: why it does not end the request although it says so; empty otherwise.
        readings: what became of each rule, in their order.
    """

    digest: str
    rule: Rule | None
    end: End | None
    held_back: str
    readings: tuple[RuleReading, ...]

    @property
    def applied(self) -> AppliedRule:
        """What the record keeps of it."""
        return AppliedRule(self.digest, self.rule.id if self.rule else None, self.end)

    @property
    def details(self) -> dict[str, Any]:
        """What the first audit event says of it."""
        unread = [
            {"rule": reading.id, "field": each.field, "why": each.why}
            for reading in self.readings
            for each in reading.unread
        ]
        more = len(unread) - MAX_UNREAD
        optional: dict[str, Any] = {
            "held_back": self.held_back,
            "unread": unread[:MAX_UNREAD],
            "more_unread": max(more, 0),
        }
        said = {name: value for name, value in optional.items() if value}
        return {"rule": {**self.applied.to_dict(), **said}}


@dataclass(frozen=True)
class Rules:
    """All rules of a deployment, in the order in which they are tried.

    Raises:
        ValueError: too many, or two of one id.
    """

    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rules) > MAX_RULES:
            msg = f"rules must be at most {MAX_RULES}, got {len(self.rules)}"
            raise ValueError(msg)
        seen: set[str] = set()
        for rule in self.rules:
            if not isinstance(rule, Rule):
                msg = f'rules must be Rule("id", when=...), got {_of(rule)}'
                raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
            if rule.id.casefold() in seen:
                msg = f"rules have the id {rule.id} twice: the record names a rule by it"
                raise ValueError(msg)
            seen.add(rule.id.casefold())

    def __bool__(self) -> bool:
        return bool(self.rules)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rules as canonical JSON: the same for the same rules, however written."""
        return hashlib.sha256(canonical_json(self.to_json()).encode()).hexdigest()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that any of them reads."""
        found = (paths_of(rule.when) for rule in self.rules if rule.when is not None)
        return frozenset().union(*found)

    def rule_on(self, request: ApprovalRequest) -> Ruling:
        """What they say of a request.

        Whoever is named by the request itself is asked: a rule takes that away only to reject.

        Raises:
            InvalidRequest: an approver could change what a rule reads, and so whom it asks.
        """
        for path in request.editable:
            read = next((one for one in sorted(self.fields) if overlap(one, path)), None)
            if read is not None:
                raise InvalidRequest(
                    "editable",
                    f"names {shown(path)}, and a rule reads {read}: who decides may not change "
                    f"what says who decides",
                )
        named = bool(request.approvers or request.stages) or request.quorum is not None
        asked_for = named or request.form is not None
        return self._rule_on(facts_of(request), people_asked_for=asked_for)

    def _rule_on(self, facts: Facts, *, people_asked_for: bool) -> Ruling:
        readings: list[RuleReading] = []
        matched: Rule | None = None
        for rule in self.rules:
            if matched is not None:
                readings.append(RuleReading(rule.id, "not reached"))
                continue
            said = None if rule.when is None else rule.when.read(facts)
            if said is None or said.holds:
                matched = rule
                readings.append(RuleReading(rule.id, "matched", said.unread if said else ()))
            elif said.holds is None:
                readings.append(RuleReading(rule.id, "unreadable", said.unread))
            else:  # whatever stands in what could not be read
                readings.append(RuleReading(rule.id, "no match"))
        end = matched.then.end if matched is not None and matched.then is not None else None
        held_back = ""
        if end == "approved":
            held_back = _held_back(readings, people_asked_for=people_asked_for)
        return Ruling(
            digest=self.digest,
            rule=matched,
            end=None if held_back else end,
            held_back=held_back,
            readings=tuple(readings),
        )

    def to_json(self) -> list[dict[str, Any]]:
        """The rules as JSON values."""
        return [rule.to_json() for rule in self.rules]

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Read back what `to_json` wrote, or somebody.

        Raises:
            ValueError: naming the place and what it must be.
        """
        if not isinstance(values, list):
            msg = f"rules must be a list of objects, got {kind(values)}"
            raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
        found = (Rule.from_json(each, f"rules[{place}]") for place, each in enumerate(values))
        return cls(tuple(found))


def facts_of(request: ApprovalRequest) -> Facts:
    """What rules read of a request: its context as it is stored, and its own texts over that."""
    own = {"subject": request.subject, "requester": request.requester}
    document = {} if request.document_id is None else {"document_id": request.document_id}
    context = json.loads(context_json(request.context))
    context.pop("document_id", None)
    return {**context, **own, **document}


def overlap(one: str, other: str) -> bool:
    """Whether one of two paths leads into what the other names."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _held_back(readings: Sequence[RuleReading], *, people_asked_for: bool) -> str:
    """Why a rule that matched may not approve; empty where it may."""
    unread = [reading for reading in readings if reading.unread]
    if unread:
        said = unread[0]
        return f"rule {said.id} could not read {said.unread[0].field}"
    if people_asked_for:
        return "the request names who decides, how many, or what they fill in"
    return ""


def quorum_to_json(quorum: Quorum) -> Any:
    """What `quorum_of` reads back."""
    if quorum.groups:
        return {group.name: group.count for group in quorum.groups}
    return quorum.count if quorum.kind == "at_least" else quorum.kind


def quorum_of(value: Any, where: str) -> Quorum:
    """`any_one`, `everyone`, a number, or a number for each of some groups.

    Raises:
        ValueError: something else.
    """
    if value == "any_one":
        return Quorum.any_one()
    if value == "everyone":
        return Quorum.everyone()
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return Quorum.at_least(value)
    if isinstance(value, Mapping):
        try:
            return Quorum.of(value)
        except ValueError as error:
            msg = f"{where}.quorum: {error}"
            raise ValueError(msg) from None
    msg = f"{where}.quorum must be any_one, everyone or a number of at least 1, got {shown(value)}"
    raise ValueError(msg)


def _of(value: Any) -> str:
    return type(value).__name__
