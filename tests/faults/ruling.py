"""Scenarios under a deployment's rules, the promise about them, and ways to break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from hitl_approval.domain import rule
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.condition import Comparison, Facts, Reading
from hitl_approval.domain.ending import end, follow_rule
from hitl_approval.domain.rule import Ruling
from hitl_approval.usecases import request
from tests.faults.deployment import Deployment
from tests.faults.evidence import Row
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event

__all__ = [
    "RULING",
    "approves_although_something_was_not_read",
    "ended_by_rule",
    "follows_a_rule_in_the_name_of_the_system",
    "keeps_no_digest_of_the_rules",
    "rules_approve_what_they_read",
    "takes_what_it_cannot_read_for_a_match",
]
FILE = Path(__file__).with_name("rules.json")
RULED = {  # who is asked where no rule decides
    "APPROVAL_RULES": str(FILE),
    "DEFAULT_APPROVERS": '["bob", "carol"]',
    "APPROVAL_TIMEOUT_SECONDS": "60",
}
READABLE: Mapping[str, Any] = {"amount": 90, "customer": {"country": "DE"}}


def _asking(context: Mapping[str, Any]) -> Callable[[Deployment], str]:
    """A request that names nobody, so that rules may decide it."""

    def start(world: Deployment) -> str:
        asked = {name: event()[name] for name in ("document_id", "document_name", "requester")}
        return world.start("start", {**asked, "context": context})

    return start


def _ruled(world: Deployment) -> None:
    """A rule approves; bob, who is not asked, knows of it and rejects as soon as he can."""
    approval = _asking(READABLE)(world)
    world.person("bob", decision(approval, "bob", "rejected"), when=world.row_exists(approval))


def _barred(world: Deployment) -> None:
    """A rule rejects; bob, who is not asked, approves as soon as he can."""
    approval = _asking({"amount": 90, "customer": {"country": "XX"}})(world)
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))


def _ruled_by_function(world: Deployment) -> None:
    """A rule approves what is asked through the request function."""
    world.askers.names.add("start")
    _asking(READABLE)(world)


def _unread(context: Mapping[str, Any]) -> Callable[[Deployment], None]:
    """A rule would approve, if only all were as it should be; bob is asked and rejects."""

    def set_up(world: Deployment) -> None:
        approval = _asking(context)(world)
        world.person("bob", decision(approval, "bob", "rejected"), at=5 * SECOND)

    return set_up


RULING: Sequence[Scenario] = [
    Scenario("ruled", _ruled, RULED),
    Scenario("ruled-polling", _ruled, {**POLLING, **RULED}),
    Scenario("barred-by-rule", _barred, RULED),
    Scenario("ruled-by-function", _ruled_by_function, RULED),
    Scenario("unknown-field", _unread({"amount": 90}), RULED),
    Scenario("wrong-type", _unread({**READABLE, "amount": "90"}), RULED),
    Scenario("truth-for-a-number", _unread({**READABLE, "amount": True}), {**POLLING, **RULED}),
]


def ended_by_rule(deployment: Deployment, row: Row) -> bool:
    """Whether a rule has ended this, by its last event."""
    return bool(deployment.events(row["approval_id"])[-1]["identity"] == "rule")


def rules_approve_what_they_read(deployment: Deployment) -> Iterator[str]:
    """25. A rule approves only what it has read; its id and the rules' digest are on record."""
    file = deployment.environment.get("APPROVAL_RULES")
    rules = json.loads(Path(file).read_text("utf-8")) if file else []
    for row in deployment.rows().values():
        if "policy" not in row:
            continue
        events = deployment.events(row["approval_id"])
        first, last = events[0]["details"].get("rule", {}), events[-1]
        if not rules:
            if first or "rule" in row or last["identity"] == "rule":
                yield "asked under rules, of which this deployment has none"
            continue
        facts = json.loads(row["context"])
        expected = _expected(rules, facts)
        digest = _digest(rules)
        if row.get("rule") != expected | {"digest": digest}:
            yield f"the row's rule is {row.get('rule')}, not {expected} of {digest}"
        if {name: first.get(name) for name in row["rule"]} != row["rule"]:
            yield f"asked under {first}, the row says {row['rule']}"
        if _unreadable(rules, facts) and "unread" not in first:
            yield "what could not be read is not on record"
        if last["identity"] == "rule":
            yield from _ended(row, last, expected, digest)
        elif row["votes"] and "end" in expected:
            yield f"{row['votes'][0]['approver']} answered what rule {expected['id']} decides"


def _ended(
    row: Row, last: Mapping[str, Any], rule: Mapping[str, str], digest: str
) -> Iterator[str]:
    """What a rule has ended, it may; and all three places say which it was."""
    if rule.get("end") != row["status"]:
        yield f"{row['status']} by a rule, and the rules say {rule}"
    name = f"rule:{rule.get('id')}"
    if (last["actor"], row["decided_by"]) != (name, name):
        yield f"ended by {last['actor']} and {row['decided_by']}, not by {name}"
    if last["details"].get("rule") != {**rule, "digest": digest}:
        yield f"the last event says {last['details'].get('rule')}, not {rule} of {digest}"


def _expected(rules: Sequence[Mapping[str, Any]], context: Facts) -> dict[str, str]:
    """The rule that matches, and how it ends the request: never by an approval of the unread."""
    unread = False
    for one in rules:
        holds = _holds(one["when"], context)
        unread |= holds is None
        if holds:
            end = {"approve": "approved", "reject": "rejected"}.get(one.get("then", ""))
            decides = end and not (unread and end == "approved")
            return {"id": one["id"], **({"end": str(end)} if decides else {})}
    return {}


def _unreadable(rules: Sequence[Mapping[str, Any]], context: Facts) -> bool:
    """Whether the first rules, until one matches, ask for what cannot be read."""
    for one in rules:
        holds = _holds(one["when"], context)
        if holds is not False:
            return holds is None
    return False


def _holds(when: Mapping[str, Any], context: Facts) -> bool | None:
    """Whether a condition of `rules.json` is true of a request; None: it cannot be read."""
    if "all" in when:
        each = [_holds(one, context) for one in when["all"]]
        return False if False in each else None if None in each else True
    ((operator, wanted),) = [pair for pair in when.items() if pair[0] != "field"]
    value: Any = context
    for name in when["field"].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if operator == "in":
        return value in wanted if type(value) is str else None
    if type(value) not in {int, float}:  # which `True` is not
        return None
    return bool(value < wanted if operator == "<" else value >= wanted)


def _digest(rules: Any) -> str:
    canonical = json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()


@contextmanager
def approves_although_something_was_not_read() -> Iterator[None]:
    with patch.object(rule, "_held_back", lambda *_, **__: ""):
        yield


@contextmanager
def takes_what_it_cannot_read_for_a_match() -> Iterator[None]:
    read = Comparison.read

    def lenient(self: Comparison, facts: Facts) -> Reading:
        said = read(self, facts)
        return Reading(True) if said.holds is None and self.path == "amount" else said

    with patch.object(Comparison, "read", lenient):
        yield


@contextmanager
def follows_a_rule_in_the_name_of_the_system() -> Iterator[None]:
    """It is not on record then which rule it was."""

    def unnamed(approval: Approval, *, now: datetime) -> Transition | None:
        followed = follow_rule(approval, now=now)
        if followed is None or followed.after.status != "approved":
            return followed
        return end(approval, "approved", Actor("rule:", "rule"), "", now=now, details={})

    with patch.object(request, "follow_rule", unnamed):
        yield


@contextmanager
def keeps_no_digest_of_the_rules() -> Iterator[None]:
    """But for one that is always the same."""
    applied: Any = Ruling.__dict__["applied"]

    def constant(self: Ruling) -> AppliedRule:
        return replace(cast("AppliedRule", applied.fget(self)), digest="any")

    with patch.object(Ruling, "applied", property(constant)):
        yield
