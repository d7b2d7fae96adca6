"""What is filled in and changed on the page: asked for, read, and asked for again where wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.inputs import inputs_of, values_of
from hitl_approval.testing import World
from tests.anything import any_request, declared
from tests.unit.http import by_sign_in
from tests.unit.http.by_link import (
    APPROVERS,
    asked,
    call,
    deliver,
    nonce_of,
    send,
    shown_in,
    token_of,
)
from tests.unit.http.test_signed_in import send as send_signed_in

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 3},
        "cost": {"type": "number", "maximum": 9.5, "description": "In EUR."},
        "urgent": {"type": "boolean"},
        "team": {"type": "string", "enum": ["a", "b"], "enumNames": ["Team A", "Team B"]},
        "mail": {"type": "string", "format": "email", "default": "x@example.com"},
        "when": {"type": "string", "format": "date-time", "default": "2026-01-31T13:00:00+01:00"},
    },
    "required": ["reason", "urgent"],
}
CONTEXT = {"amount": 100, "note": "one\ntwo", "fast": False, "to": {"name": "Cid"}}
EDITABLE = ("amount", "note", "fast", "to.name")
TWO = Policy(quorum=Quorum.everyone())
FILLED = {"input.reason": "lunch", "input.urgent": "true", "input.mail": "", "input.when": ""}


def asking(world: World, policy: Policy = TWO, **fields: Any) -> str:
    given = {"approvers": APPROVERS, "context": CONTEXT, "form": FORM, "editable": EDITABLE}
    return asked(world, request=any_request(**(given | fields)), policy=policy)


def as_shown(page: str) -> dict[str, str]:
    """What a browser sends back of the page's fields when nobody touches them."""
    sent = {}
    for kind, name, rest in re.findall(
        r'<(input|select|textarea) [^>]*name="((?:input|changes)\.[^"]+)"(.*)', page
    ):
        if kind == "input":
            sent[name] = re.search(r'value="([^"]*)"', rest)[1]  # type: ignore[index]
        elif kind == "select":
            chosen = re.search(r'value="([^"]*)" selected', rest)
            sent[name] = chosen[1] if chosen else re.search(r'value="([^"]*)"', rest)[1]  # type: ignore[index]
    for name, text in re.findall(r'name="([^"]+)"[^>]*rows="3">\n([^<]*)</textarea>', page):
        sent[name] = text.replace("\n", "\r\n")
    return sent


def test_should_ask_for_values_as_they_stand(world: World) -> None:
    asking(world)
    _, page = call(world, token_of(world, "ann"))
    assert as_shown(page) == {
        "input.reason": "",
        "input.cost": "",
        "input.urgent": "",
        "input.team": "",
        "input.mail": "x@example.com",
        "input.when": "2026-01-31T12:00:00",
        "changes.amount": "100",
        "changes.note": "one\r\ntwo",
        "changes.fast": "false",
        "changes.to.name": "Cid",
    }
    shown = shown_in(page)
    for said in (
        "To approve, fill in",
        "When you approve, you may change",
        "Why",
        "In EUR. At most 9.5",
        "Team A",
        "In UTC",
        "A change starts again",
    ):
        assert said in shown


def test_should_approve_with_what_was_filled_in_and_change_nothing_that_was_not(
    world: World,
) -> None:
    approval_id = asking(world, policy=Policy())
    token = token_of(world, "ann")
    filled = {"input.reason": "lunch", "input.urgent": "false", "input.team": "b"}
    status, page = send(world, token, "approved", **as_shown(call(world, token)[1]) | filled)
    assert status == 200, shown_in(page)
    approval = world.store.approvals[approval_id]
    assert approval.status == "approved"
    assert approval.votes[0].input == {
        "reason": "lunch",
        "urgent": False,
        "team": "b",
        "mail": "x@example.com",
        "when": "2026-01-31T12:00:00Z",
    }
    assert approval.changes == {}
    assert "Why: lunch" in shown_in(page)
    assert "Team B" in shown_in(page)


def test_should_show_what_is_wrong_beside_what_was_typed_and_write_nothing(world: World) -> None:
    approval_id = asking(world)
    token = token_of(world, "ann")
    typed = {
        "input.reason": "no",
        "input.cost": '"><b>ten</b>',
        "input.urgent": "",
        "input.mail": "x@example.com",
        "input.when": "2026-01-31T12:00",
        "changes.amount": "1e9",
        "changes.note": "",
    }
    status, page = send(world, token, "approved", "because", **typed)
    assert status == 400
    assert world.store.approvals[approval_id].votes == ()
    assert len(world.store.history(approval_id)) == 1
    shown = shown_in(page)
    for said in (
        "please correct the fields that are marked below",
        "Must be at least 3 characters, got 2.",
        "Must be a number, got",
        "Is required.",
        "Must be a whole number, got '1e9'",
        "because",
    ):
        assert said in shown
    assert 'value="&#34;&gt;&lt;b&gt;ten' in page
    assert as_shown(page)["changes.amount"] == "1e9"
    assert page.count('aria-invalid="true"') == 4
    assert '"input-1-error"' in page
    assert ' value="approved" required checked' in page


def test_should_reject_without_any_values_whatever_stands_in_the_fields(world: World) -> None:
    approval_id = asking(world, policy=Policy())
    token = token_of(world, "ann")
    more = {"input.reason": "x", "changes.amount": "not a number"}
    assert send(world, token, "rejected", "no", **more)[0] == 200
    approval = world.store.approvals[approval_id]
    assert (approval.status, approval.votes[0].input, approval.changes) == ("rejected", None, {})


def test_should_let_everybody_see_the_change_and_answer_again(world: World) -> None:
    approval_id = asking(world, form=None)
    world.decisions.decide(approval_id, declared("bob"), "approved")
    ann, old = token_of(world, "ann"), token_of(world, "bob")
    assert "You approved" in call(world, old)[1]
    status, page = send(
        world, ann, "approved", **as_shown(call(world, ann)[1]) | {"changes.amount": "120"}
    )
    assert (status, "You approved this" in page) == (200, True)
    approval = world.store.approvals[approval_id]
    assert json.loads(approval.context) == {**CONTEXT, "amount": 120}
    deliver(world, approval_id)
    [again] = [m for m in world.notifier.sent if m.recipient == "bob" and m.kind == "changed"]
    assert again.subject == "Changed, approval needed again: Q4 Budget Proposal"
    assert "amount: 100 -> 120" in again.body
    for token in (old, token_of(world, "bob")):
        shown = shown_in(call(world, token)[1])
        assert "Changed since it was asked" in shown
        assert "100 -> 120" in shown
        assert "1 of 2 approvals; bob must still answer" in shown
    assert send(world, old, "approved")[0] == 200
    assert world.store.approvals[approval_id].status == "approved"


def test_should_take_no_approval_from_a_page_that_showed_it_before_the_change(world: World) -> None:
    approval_id = asking(world, form=None)
    bob = token_of(world, "bob")
    stale = nonce_of(call(world, bob)[1])
    shown = world.store.approvals[approval_id].content_digest
    change = values_of(world.store.approvals[approval_id], {"changes.amount": "120"})
    world.decisions.decide(
        approval_id, declared("ann"), "approved", content_digest=shown, values=change
    )
    status, page = call(
        world, bob, "POST", {"nonce": stale, "decision": "approved", "comments": ""}
    )
    assert (status, "has grown old" in page) == (403, True)
    assert [vote.approver for vote in world.store.approvals[approval_id].votes] == ["ann"]


def test_should_take_values_on_the_signed_in_page_too(world: World) -> None:
    content = {"context": CONTEXT, "editable": EDITABLE, "form": FORM}
    approval_id = by_sign_in.asked(world, by_sign_in.ANN, by_sign_in.BOB, content=content)

    status, page = send_signed_in(world, approval_id, decision="approved", **{"input.reason": "x"})
    assert (status, "Must be at least 3" in page) == (400, True)
    status, page = send_signed_in(
        world,
        approval_id,
        decision="approved",
        **FILLED
        | {"changes.amount": "7", "input.mail": "a@b.cd", "input.when": "2026-01-31T12:00"},
    )
    assert status == 200
    assert world.store.approvals[approval_id].votes[0].input["reason"] == "lunch"  # type: ignore[index]
    assert "who changed amount" in shown_in(page)


def test_should_ask_for_nothing_where_nothing_is_asked_for(world: World) -> None:
    approval_id = asking(world, form=None, editable=())
    approval = world.store.approvals[approval_id]
    assert inputs_of(approval) == inputs_of(approval, given={"input.x": "1"})
    assert inputs_of(approval).to_fill == inputs_of(approval).to_change == ()
    _, page = call(world, token_of(world, "ann"))
    assert 'class="values"' not in page.split("</style>")[1]


@pytest.mark.parametrize("name", ["input.nobody", "changes.tool", "input", "changes."])
def test_should_pass_over_fields_that_the_page_does_not_have(world: World, name: str) -> None:
    approval_id = asking(world, form=None, policy=Policy())
    assert send(world, token_of(world, "ann"), "approved", **{name: "x"})[0] == 200
    assert world.store.approvals[approval_id].changes == {}
