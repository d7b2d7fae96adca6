"""The forms beside the decision: who is shown them, and that each does what it says, once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.testing import World
from tests.anything import any_request, declared
from tests.unit.http import by_sign_in
from tests.unit.http.by_link import asked, call, nonce_of, send, shown_in, snapshot, token_of

BOTH = Policy(quorum=Quorum.everyone())
HAND_OVER, TAKE_BACK = "Somebody else should answer this", "Take my answer back"


def field_of(page: str, name: str) -> str:
    [value] = re.findall(rf'name="{name}" value="([0-9a-f]{{64}})"', page)
    return str(value)


def hand_over(world: World, token: str, taker: str, **more: str) -> tuple[int, str]:
    _, page = call(world, token)
    form = {"reassign": field_of(page, "reassign"), "from": "ann", "to": taker} | more
    return call(world, token, "POST", form)


def take_back(world: World, token: str) -> tuple[int, str]:
    _, page = call(world, token)
    return call(world, token, "POST", {"retract": field_of(page, "retract")})


def test_should_hand_over_and_say_who_is_asked_now(world: World) -> None:
    approval_id = asked(world)
    token = token_of(world, "ann")
    status, page = hand_over(world, token, "zoe", why="I am away <b>")
    assert status == 200
    assert "You are not asked any more" in page
    assert "zoe, bob may answer now" in shown_in(page)
    assert "from ann to zoe" in shown_in(page)
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["actor"], event["identity"]) == ("reassigned", "ann", "link")
    assert event["details"]["comments"] == "I am away <b>"
    for _ in range(2):  # nothing more by a reload, and nothing to decide with
        assert "You are not asked any more" in call(world, token)[1]
        assert 'id="decide"' not in call(world, token)[1]


def test_should_decide_nothing_by_the_link_of_who_was_replaced(world: World) -> None:
    """Who has left the team keeps an old mail; a form from before does nothing, either."""
    approval_id = asked(world)
    token = token_of(world, "ann")
    _, page = call(world, token)
    world.decisions.reassign(approval_id, declared("ann"), giver="ann", to="zoe")
    before = snapshot(world)
    form = {"nonce": nonce_of(page), "decision": "approved", "comments": ""}
    for answer in (call(world, token, "POST", form)[1], call(world, token)[1]):
        assert "You are not asked any more" in shown_in(answer)
        assert 'id="decide"' not in answer
    assert snapshot(world) == before


def test_should_say_why_a_hand_over_is_refused_and_keep_what_was_typed(world: World) -> None:
    asked(world)
    before = snapshot(world)
    status, page = hand_over(world, token_of(world, "ann"), "bob", why="holiday")
    assert status == 400
    assert "to: &#39;bob&#39; is asked already" in page
    assert '<details class="turn" open>' in page
    assert 'value="bob"' in page
    assert ">holiday</textarea>" in page
    assert page.count('role="alert"') == 1
    assert snapshot(world) == before


@pytest.mark.parametrize(
    "change",
    [
        {"reassign": "0" * 64},
        {"reassign": ""},
        {"from": "bob"},  # somebody else's place
        {"to": ""},
        {"to": "rita"},  # who asked
        {"why": "x" * 10_000},
    ],
    ids=str,
)
def test_should_change_nothing_by_any_other_form(world: World, change: dict[str, str]) -> None:
    asked(world)
    before = snapshot(world)
    status, _ = hand_over(world, token_of(world, "ann"), "zoe", **change)
    assert status in {400, 403}
    assert snapshot(world) == before


def test_should_take_another_s_form_for_none(world: World) -> None:
    asked(world)
    before = snapshot(world)
    of_bob = field_of(call(world, token_of(world, "bob"))[1], "reassign")
    assert hand_over(world, token_of(world, "ann"), "zoe", reassign=of_bob)[0] == 403
    assert snapshot(world) == before


def test_should_take_an_answer_back_and_ask_again(world: World) -> None:
    approval_id = asked(world, policy=BOTH)
    token = token_of(world, "ann")
    assert TAKE_BACK not in call(world, token)[1]
    send(world, token, "approved")
    _, page = call(world, token)
    assert TAKE_BACK in page
    old = field_of(page, "retract")
    status, page = take_back(world, token)
    assert status == 200
    assert 'id="decide"' in page
    assert world.store.approvals[approval_id].votes == ()
    # A form from before takes back nothing more: it is of that one answer.
    world.clock.advance(timedelta(seconds=1))
    send(world, token, "approved")
    before = snapshot(world)
    assert call(world, token, "POST", {"retract": old})[0] == 403
    assert snapshot(world) == before


def test_should_offer_nothing_once_it_has_ended(world: World) -> None:
    asked(world)
    _, open_page = call(world, token_of(world, "ann"))
    given = {"reassign": field_of(open_page, "reassign"), "from": "ann", "to": "zoe"}
    send(world, token_of(world, "bob"), "approved")
    for who in ("ann", "bob"):
        _, page = call(world, token_of(world, who))
        assert TAKE_BACK not in page
        assert HAND_OVER not in page
    before = snapshot(world)
    status, _ = call(world, token_of(world, "ann"), "POST", given)
    assert status == 409
    assert snapshot(world) == before


def test_should_ask_for_the_code_here_too(world: World) -> None:
    approval_id = asked(world, challenge=True)
    token = token_of(world, "ann")
    code = world.store.approvals[approval_id].challenge
    before = snapshot(world)
    assert hand_over(world, token, "zoe")[0] == 400
    assert snapshot(world) == before
    assert hand_over(world, token, "zoe", challenge=str(code))[0] == 200


def test_should_show_earlier_stages_what_comes_and_who_is_asked_if_nobody_answers(
    world: World,
) -> None:
    hour = timedelta(hours=1)
    policy = Policy(
        stages=(Stage(["cid"], timeout=hour), Stage(["dan"], timeout=hour)),
        escalation=(Escalate(timedelta(minutes=30), ["eve"]),),
    )
    asked(world, policy=policy)
    token = token_of(world, "ann")
    page = shown_in(call(world, token)[1])
    for said in ("stage 1 of 3", "cid will be asked", "dan will be asked", "eve will be asked too"):
        assert said in page
    _, page = send(world, token, "approved", "fine by me")
    assert "Stage 1: approved by ann" in shown_in(page)
    assert TAKE_BACK not in page  # the next stage has begun on it


class TestSignedIn:
    ROUTE = "/approvals/{approval_id}"

    def post(self, world: World, approval_id: str, form: dict[str, str], **more: Any) -> Any:
        return by_sign_in.call(
            world, f"POST {self.ROUTE}", approval_id=approval_id, body=urlencode(form),
            content_type="application/x-www-form-urlencoded", origin="https://page.example", **more,
        )  # fmt: skip

    def get(self, world: World, approval_id: str, **more: Any) -> str:
        answer = by_sign_in.call(world, f"GET {self.ROUTE}", approval_id=approval_id, **more)
        return str(answer["body"])

    def test_should_hand_over_and_take_back(self, world: World) -> None:
        ann, bob, cid = by_sign_in.ANN, by_sign_in.BOB, "cid@example.com"
        approval_id = by_sign_in.asked(world, ann, bob, policy=BOTH)
        form = {"reassign": field_of(self.get(world, approval_id), "reassign")}
        answer = self.post(world, approval_id, form | {"from": ann, "to": cid})
        assert answer["statusCode"] == 200
        assert "You are not asked any more" in answer["body"]
        assert f"from {ann} to {cid}" in shown_in(answer["body"])  # in the history
        world.decisions.decide(approval_id, declared(bob), "approved")
        page = self.get(world, approval_id, who=bob)
        form = {"retract": field_of(page, "retract")}
        assert self.post(world, approval_id, form, who=bob)["statusCode"] == 200
        assert world.store.approvals[approval_id].votes == ()

    def test_should_let_an_operator_give_anybody_s_place(self, world: World) -> None:
        from dataclasses import replace

        ann, bob = by_sign_in.ANN, by_sign_in.BOB
        approval_id = by_sign_in.asked(world, ann, bob)
        eve = "eve@example.com"
        assert HAND_OVER not in self.get(world, approval_id, who=eve)
        with_operator = replace(world, decisions=replace(world.decisions, operators=(eve,)))
        page = self.get(with_operator, approval_id, who=eve)
        assert f"<option>{bob}</option>" in page
        form = {"reassign": field_of(page, "reassign"), "from": bob, "to": "cid@example.com"}
        answer = self.post(with_operator, approval_id, form, who=eve)
        assert answer["statusCode"] == 200
        assert world.store.approvals[approval_id].asked == (ann, "cid@example.com")


def test_should_be_asked_by_name_to_hand_over(world: World) -> None:
    """Who may answer because anyone may has no place to give."""
    approval_id = by_sign_in.asked(world)
    request = any_request()
    assert request.approvers == ()
    page = TestSignedIn().get(world, approval_id)
    assert 'id="decide"' in page
    assert HAND_OVER not in page
