"""Threat: somebody signs in under a name that looks like an approver's, or like their own."""

from __future__ import annotations

import json

import pytest

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.policy import Policy, Quorum
from hitl_approval.http.state import opened
from hitl_approval.testing import World
from tests.anything import NOW, any_opening
from tests.unit.http.by_sign_in import asked, get_json, post_json

APPROVER = "ann@weiss.com"
LOOK_ALIKES = ["ann@weiß.com", "ann@wei\u017fs.com", "ann@weiss.com\ufe0f", "ann\u034f@weiss.com"]
DECISION = "POST /v1/approvals/{approval_id}/decision"


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_let_nobody_decide_who_only_resembles_an_approver(world: World, who: str) -> None:
    approval_id = asked(world, APPROVER, "bob@x.org")
    for route in (DECISION, "POST /v1/approvals/{approval_id}/cancellation"):
        body = {"decision": "approved"} if route == DECISION else {}
        status, answer = post_json(world, route, body, who=who, approval_id=approval_id)
        assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert world.store.approvals[approval_id].votes == ()
    assert get_json(world, "GET /v1/inbox", who=who)[1]["approvals"] == []
    assert get_json(world, "GET /v1/inbox", who=APPROVER.upper())[1]["approvals"] != []


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_show_nobody_else_s_answer_as_theirs(world: World, who: str) -> None:
    approval_id = asked(world, APPROVER)
    decision = {"decision": "approved"}
    assert post_json(world, DECISION, decision, who=APPROVER, approval_id=approval_id)[0] == 200
    status, answer = post_json(world, DECISION, decision, who=who, approval_id=approval_id)
    assert (status, answer["error"]["code"]) == (409, "APPROVAL_ALREADY_DECIDED")
    approval = world.store.approvals[approval_id]
    states = [opened(approval, Actor(name, "jwt"), now=NOW).state for name in (who, APPROVER)]
    assert states == ["decided", "answered"]


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_count_no_second_vote_of_who_looks_the_same(world: World, who: str) -> None:
    opening = any_opening(now=world.clock.now(), policy=Policy(quorum=Quorum.at_least(2)))
    approval_id = world.store.create(opening).approval_id
    decision = {"decision": "approved"}
    assert post_json(world, DECISION, decision, who=APPROVER, approval_id=approval_id)[0] == 200
    status, answer = post_json(world, DECISION, decision, who=who, approval_id=approval_id)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert "looks the same" in json.dumps(answer)
    assert world.store.approvals[approval_id].pending
