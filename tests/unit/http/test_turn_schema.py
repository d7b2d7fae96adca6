"""Whose turn it is, as the JSON API's document has it and as the view writes it."""

from __future__ import annotations

from datetime import timedelta

from jsonschema import Draft202012Validator

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.whose_turn import whose_turn
from hitl_approval.http.turn_schema import WHOSE_TURN
from tests.anything import NOW, any_approval, any_request, declared


def test_should_describe_all_that_the_view_writes() -> None:
    hour = timedelta(hours=1)
    policy = Policy(
        stages=(Stage(["bob"], timeout=hour),), escalation=(Escalate(hour / 2, ["leo"]),)
    )
    approval = any_approval(request=any_request(approvers=["ann"]), policy=policy)
    given = reassign(approval, declared("ann"), giver="ann", to="zoe", now=NOW).after
    written = whose_turn(given)
    assert set(written) == set(WHOSE_TURN)
    for name, schema in WHOSE_TURN.items():
        Draft202012Validator(schema).validate(written[name])
        assert set(schema["items"]["properties"]) >= set(written[name][-1])
