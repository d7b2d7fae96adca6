"""`escalation`, and a quorum of groups: what a deployment refuses, and what its functions read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import CfnParameter

from hitl_approval.domain.policy import Policy
from hitl_approval_cdk import Escalate, HitlApproval, Quorum, context, resolve
from hitl_approval_cdk.resolution import policy
from tests.infra.synth import any_stack, of_type, template

HOUR = timedelta(hours=1)
GROUPS = {"leads": ["bob", "cid"], "board": ["dan"]}
STEPS = [Escalate(HOUR, ["leads"]), Escalate(2 * HOUR, ["board"], "replace")]


def test_should_hand_the_steps_to_the_functions_that_write_requests() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", approvers=["ann"], groups=GROUPS, escalation=STEPS)
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
    written = [f["Environment"]["Variables"].get("APPROVAL_POLICY") for f in functions]
    policies = [Policy.from_dict(json.loads(each)) for each in written if each]
    assert policies
    for each in policies:
        assert each.escalation == tuple(STEPS)


def test_should_take_the_steps_as_json_and_from_the_context() -> None:
    values = [step.to_dict() for step in STEPS]
    for options in (
        {"escalation": values},
        context.options({"escalation": json.dumps(values)}),
    ):
        assert policy(resolve(options)).escalation == tuple(STEPS)  # type: ignore[arg-type]


def test_should_write_nothing_where_there_are_no_steps() -> None:
    assert "escalation" not in policy(resolve({})).to_dict()


def test_should_ask_the_groups_of_a_quorum() -> None:
    quorum = Quorum.of({"leads": 2, "board": 1})
    assert resolve({"quorum": quorum, "groups": GROUPS})["quorum"] == quorum


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"escalation": "leads"}, r"^escalation must be a list of steps, got 'leads': use \["),
        ({"escalation": [HOUR]}, r"^escalation: must be a list of Escalate"),
        ({"escalation": [{"after_seconds": 0, "to": ["a"]}]}, r"^after_seconds must be"),
        ({"escalation": STEPS[::-1]}, r"^escalation: each step of an escalation must come later"),
        (
            {
                "approvers": ["ann", "bob"],
                "quorum": Quorum.at_least(2),
                "escalation": [Escalate(HOUR, ["cid"], "replace")],
            },
            r"^after step 1 of the escalation only \['cid'\] may decide, which is not enough",
        ),
        (
            {"quorum": Quorum.of({"leads": 1}), "groups": GROUPS, "approvers": ["ann"]},
            r"^quorum names the groups that are asked: leave approvers out",
        ),
        (
            {"quorum": Quorum.of({"finance": 1}), "groups": GROUPS},
            r"^quorum names 'finance', which is no group: add it to groups",
        ),
        (
            {"quorum": Quorum.of({"leads": 3}), "groups": GROUPS},
            r"^quorum needs 3 approvals of 'leads' but 2 of its members may decide: \['bob', 'cid'",
        ),
    ],
)
def test_should_refuse_at_synth(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(given)  # type: ignore[arg-type]


def test_should_refuse_a_step_that_only_cloudformation_will_know() -> None:
    name = CfnParameter(any_stack(), "Name").value_as_string
    with pytest.raises(ValueError, match="escalation must be known at synth, got a token"):
        resolve({"escalation": [Escalate(HOUR, [name])]})
