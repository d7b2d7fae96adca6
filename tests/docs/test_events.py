"""`docs/events.md` is the contract of the events: every field and every type, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from hitl_approval import contract
from hitl_approval.contract import Events
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.bus_event import BusEvent, bus_event
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.testing import in_memory
from tests.anything import TRACEPARENT, any_opening, any_request, declared

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
SHAPE, _, METRICS = PAGE.partition("## Metrics")
TYPES = {"string": str, "number": int, "array": list, "null": type(None), "object": dict}
NOT_IN_ALL = {"on_behalf_of", "rule", "traceparent"}


OF_A_COMMENT = {"question": bool, "answers": int}
"""What only the events of comments have besides."""


def events() -> Iterator[BusEvent]:
    """Every kind of event, of an approval on record and of one that has expired."""
    world = in_memory()

    def ask(**fields: Any) -> str:
        return world.store.create(any_opening(now=world.clock.now(), **fields)).approval_id

    voted = ask(policy=Policy(quorum=Quorum.at_least(2)))
    world.decisions.decide(voted, declared("ann"), "approved", "fine")
    world.decisions.decide(voted, declared("bob"), "approved")
    world.decisions.decide(ask(), declared("ann"), "rejected", "no")
    ask(rule=AppliedRule("d", "big"))
    ask(request=any_request(traceparent=TRACEPARENT))
    world.decisions.cancel(ask(), declared("rita"), "not needed")
    world.decisions.remind(ask(request=any_request(approvers=["ann"])), declared("rita"))
    both = ask(
        request=any_request(approvers=["ann", "bob"]),
        policy=Policy(
            quorum=Quorum.everyone(),
            stages=(Stage(["eve"], timeout=timedelta(hours=1)),),
            escalation=(Escalate(timedelta(minutes=5), ["fay"]),),
        ),
    )
    world.decisions.decide(both, declared("ann"), "approved")
    world.decisions.retract(both, declared("ann"))
    world.decisions.reassign(both, declared("ann"), giver="ann", to="cid")
    world.clock.advance(timedelta(minutes=6))
    world.sweeps.sweep()
    world.decisions.decide(both, declared("bob"), "approved")
    world.decisions.decide(both, declared("cid"), "approved")
    until = world.clock.now() + timedelta(days=1)
    world.decisions.delegating.delegate(
        declared("ann"), giver="ann", to="dan", starts_at=None, until=until
    )
    asked = ask(request=any_request(approvers=["ann"]))
    world.decisions.decide(asked, declared("dan"), "approved")
    commented = ask(request=any_request(approvers=["ann"]))
    world.decisions.comment(commented, declared("ann"), "Which month?", question=True)
    world.decisions.comment(commented, declared("rita"), "May", answers=2)
    world.decisions.comment(commented, declared("ann"), "Mind the month's end")
    world.requests.note_notification_failed(unnotified := ask(), "SNS: throttled")
    world.clock.advance(world.store.approvals[unnotified].expires_at - world.clock.now())
    world.requests.check_status(unnotified)
    for approval_id, approval in world.store.approvals.items():
        for event in world.store.history(approval_id):
            for record in (approval, None):
                yield bus_event(event, record, deployment="payments-ApprovalRequests")


def test_should_describe_every_field_with_its_type() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+?) \| ", SHAPE, re.MULTILINE)
    described = {name: tuple(TYPES[kind] for kind in kinds.split(" or ")) for name, kinds in rows}
    assert described
    seen: set[str] = set()
    for event in events():
        detail = json.loads(event.detail)
        more = OF_A_COMMENT if event.detail_type == Events.COMMENTED else {}
        said = [name for name in detail if name not in more]
        seen |= set(said)
        assert said == [n for n in described if n in detail or n not in NOT_IN_ALL]
        for name, kind in more.items():
            assert isinstance(detail[name], kind | None), (name, detail[name])
            assert f"`{name}`" in SHAPE
        for name in said:
            assert type(detail[name]) in described[name], (name, detail[name])
    assert seen == described.keys()


def test_should_name_every_detail_type_with_its_statuses() -> None:
    rows = re.findall(r"^\| `(Approval [\w ]+)` \| .* \| (`.*`) \|$", PAGE, re.MULTILINE)
    described = {name: set(re.findall(r"`(\w+)`", statuses)) for name, statuses in rows}
    seen: dict[str, set[str]] = {}
    for event in events():
        detail = json.loads(event.detail)
        seen.setdefault(event.detail_type, set()).add(detail["status"])
    assert seen == described
    assert f"`source` is `{Events.SOURCE}`" in PAGE
    assert f"version {Events.VERSION}." in PAGE


def test_should_name_every_metric_once() -> None:
    listed = [
        name
        for names in re.findall(r"^\| (`[A-Z].*?`) \| ", METRICS, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    ]
    assert sorted(listed) == sorted(contract.METRICS)


def test_should_say_that_an_event_proves_nothing() -> None:
    """Whoever may put events on a shared bus can forge one: readers must be asked to read."""
    _, _, section = PAGE.partition("## What an event proves")
    section = section.partition("\n## ")[0]
    for said in ("`events:PutEvents`", "a hint and no proof", "reads it first", "`event_bus`"):
        assert said in " ".join(section.split())
