"""A state machine that asks by `HitlApproval.step` and goes on by the answer."""

import os

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_stepfunctions as sfn

from hitl_approval_cdk import HitlApproval

app = App(analytics_reporting=False)
stack = Stack(app, os.environ.get("STACK", "state-machine"), analytics_reporting=False)
approvals = HitlApproval(stack, "Approvals", removal_policy=RemovalPolicy.DESTROY)
ask = approvals.step(
    stack,
    "Ask",
    subject=sfn.JsonPath.format("Refund {}", sfn.JsonPath.string_at("$.amount")),
    requester=sfn.JsonPath.string_at("$.agent"),
    timeout=Duration.minutes(10),
    context={"amount": sfn.JsonPath.number_at("$.amount")},
    form={"type": "object", "properties": {"account": {"type": "string"}}},
    editable=["amount"],
    result_path="$.outcome",
)
paid = sfn.Pass(stack, "Paid", result=sfn.Result.from_string("paid"), result_path="$.end")
kept = sfn.Pass(stack, "Kept", result=sfn.Result.from_string("kept"), result_path="$.end")
choice = sfn.Choice(stack, "Approved?")
choice.when(sfn.Condition.boolean_equals("$.outcome.approved", True), paid).otherwise(kept)
machine = sfn.StateMachine(
    stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(ask.next(choice))
)
CfnOutput(stack, "MachineArn", value=machine.state_machine_arn)
app.synth()
