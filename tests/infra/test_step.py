"""A state that waits for an approval."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_stepfunctions as sfn

from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_app, any_stack, of_type, permissions, template, text


@dataclass
class Reason:
    why: str


def machine(stack: Stack, approvals: HitlApproval, **options: Any) -> sfn.StateMachine:
    state = approvals.step(
        stack,
        "Ask",
        subject=sfn.JsonPath.format("Refund {}", sfn.JsonPath.string_at("$.amount")),
        requester=sfn.JsonPath.string_at("$.agent"),
        **options,
    )
    return sfn.StateMachine(
        stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(state)
    )


def state_of(stack: Stack) -> dict[str, Any]:
    [found] = of_type(template(stack)["Resources"], "AWS::StepFunctions::StateMachine").values()
    definition = json.loads(text(found["DefinitionString"]))
    state: dict[str, Any] = definition["States"]["Ask"]
    return state


def test_should_start_the_workflow_and_wait_for_its_answer() -> None:
    stack = any_stack()
    machine(
        stack,
        HitlApproval(stack, "Approval"),
        approvers=["ann", "bob"],
        timeout=Duration.hours(8),
        context={"order": sfn.JsonPath.object_at("$.order")},
        sensitive=["order.card"],
        form=Reason,
        editable=["order.amount"],
    )
    state = state_of(stack)
    assert state["Resource"].endswith(":states:::lambda:invoke.waitForTaskToken")
    assert state["Parameters"]["FunctionName"] == "<ApprovalLiveAlias>"
    assert state["Parameters"]["InvocationType"] == "Event"
    assert state["Parameters"]["Payload"] == {
        "subject.$": "States.Format('Refund {}', $.amount)",
        "requester.$": "$.agent",
        "task_token.$": "$$.Task.Token",
        "approvers": ["ann", "bob"],
        "context": {"order.$": "$.order"},
        "sensitive": ["order.card"],
        "editable": ["order.amount"],
        "form": {
            "type": "object",
            "properties": {"why": {"type": "string"}},
            "required": ["why"],
        },
        "timeout_seconds": 8 * 3600,
    }
    assert state["TimeoutSeconds"] == 8 * 3600 + 900


def test_should_ask_by_the_deployments_rules_unless_it_brings_others() -> None:
    stack = any_stack()
    machine(stack, HitlApproval(stack, "Approval"))
    state = state_of(stack)
    assert set(state["Parameters"]["Payload"]) == {"subject.$", "requester.$", "task_token.$"}
    assert "TimeoutSeconds" not in state


def test_should_let_the_workflow_answer_the_machines_with_its_steps_only() -> None:
    app = any_app()
    stack, elsewhere = Stack(app, "Embedding"), Stack(app, "Elsewhere")
    ours, other = HitlApproval(stack, "Approval"), HitlApproval(stack, "Other")
    machine(stack, ours)
    machine(elsewhere, other)
    sfn.StateMachine(
        stack, "Third", definition_body=sfn.DefinitionBody.from_chainable(sfn.Pass(stack, "Pass"))
    )

    found = permissions(template(stack)["Resources"])

    answers = {
        ("states:SendTaskFailure", "<Machine.Arn>"),
        ("states:SendTaskSuccess", "<Machine.Arn>"),
    }
    assert answers <= found["ApprovalWorkflowRole"]
    for role, allowed in found.items():
        if role != "ApprovalWorkflowRole":
            assert not any(action.startswith("states:") for action, _ in allowed)
    assert ("lambda:InvokeFunction", "<ApprovalLiveAlias>") in found["MachineRole"]
    [policy] = [
        policy
        for policy in of_type(template(elsewhere)["Resources"], "AWS::IAM::Policy").values()
        if "SendTask" in str(policy)
    ]
    assert "OtherWorkflowRole" in str(policy["Roles"])


def test_should_refuse_no_time_to_decide() -> None:
    stack = any_stack()
    with pytest.raises(ValueError, match="timeout must be at least 1 s, got 0 s"):
        machine(stack, HitlApproval(stack, "Approval"), timeout=Duration.seconds(0))


class TestJsonata:
    """`$$.Task.Token` is a plain text there: a step that hands it over is never answered."""

    @pytest.mark.parametrize("machines", [sfn.QueryLanguage.JSONATA, None], ids=["all", "state"])
    def test_should_hand_over_the_token_of_its_own_task(
        self, machines: sfn.QueryLanguage | None
    ) -> None:
        stack = any_stack()
        state = HitlApproval(stack, "Approval").step(
            stack,
            "Ask",
            subject="{% 'Refund ' & $string($states.input.amount) %}",
            requester="{% $states.input.agent %}",
            approvers="{% $states.input.leads %}",
            timeout=Duration.hours(1),
            query_language=sfn.QueryLanguage.JSONATA,
            outputs={"outcome": "{% $states.result %}"},
        )
        body = sfn.DefinitionBody.from_chainable(state)
        sfn.StateMachine(stack, "Machine", definition_body=body, query_language=machines)
        found = state_of(stack)
        assert found["Arguments"]["Payload"] == {
            "subject": "{% 'Refund ' & $string($states.input.amount) %}",
            "requester": "{% $states.input.agent %}",
            "approvers": "{% $states.input.leads %}",
            "task_token": "{% $states.context.Task.Token %}",
            "timeout_seconds": 3600,
        }
        assert found["Arguments"]["InvocationType"] == "Event"
        assert found.get("QueryLanguage") == (None if machines else "JSONata")
        assert found["Resource"].endswith(":states:::lambda:invoke.waitForTaskToken")
        assert found["Output"] == {"outcome": "{% $states.result %}"}
        assert found["TimeoutSeconds"] == 3600 + 900
        answers = ("states:SendTaskSuccess", "<Machine.Arn>")
        assert answers in permissions(template(stack)["Resources"])["ApprovalWorkflowRole"]

    @pytest.mark.parametrize("nested", [False, True])
    def test_should_refuse_a_step_that_would_wait_for_ever(self, nested: bool) -> None:
        stack = any_stack()
        state = HitlApproval(stack, "Approval").step(stack, "Ask", subject="x", requester="ann")
        body: sfn.IChainable = state
        if nested:
            body = sfn.Parallel.jsonata(stack, "Both").branch(state)
        sfn.StateMachine(
            stack,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(body),
            query_language=sfn.QueryLanguage.JSONATA,
        )
        fix = (
            r"Embedding/Machine speaks JSONata, its approval step JSONPath, and would wait for "
            r"ever: use approvals.step\(..., query_language=QueryLanguage.JSONATA\)"
        )
        with pytest.raises(RuntimeError, match=fix):
            template(stack)

    def test_should_refuse_words_of_the_other_language(self) -> None:
        stack = any_stack()
        approvals = HitlApproval(stack, "Approval")
        with pytest.raises(ValueError, match="result_path is JSONPath's, the step speaks JSONata"):
            machine(
                stack, approvals, query_language=sfn.QueryLanguage.JSONATA, result_path="$.outcome"
            )
        with pytest.raises(ValueError, match="outputs are JSONata's: use result_path"):
            machine(stack, approvals, outputs={"a": 1})


def test_should_refuse_a_form_that_no_approver_can_fill_in() -> None:
    stack = any_stack()
    nested = {"type": "object", "properties": {"who": {"type": "object"}}}
    with pytest.raises(ValueError, match="form: who"):
        machine(stack, HitlApproval(stack, "Approval"), form=nested)
