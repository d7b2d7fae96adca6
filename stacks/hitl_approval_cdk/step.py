"""A Step Functions state that waits for an approval, by task token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import jsii
from aws_cdk import Aspects, Duration, IAspect, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct, IConstruct

from hitl_approval.contract import EXECUTION_MARGIN_SECONDS, TASK_TOKEN
from hitl_approval_cdk import validation

_ANSWERS = "HitlApprovalAnswers"


def step(
    scope: Construct,
    construct_id: str,
    *,
    workflow_alias: lambda_.IFunction,
    workflow_role: iam.IRole,
    mark: str,
    subject: str,
    requester: str,
    approvers: Sequence[str] | str | None,
    timeout: Duration | None,
    context: Mapping[str, Any] | str | None,
    result_path: str | None,
) -> tasks.LambdaInvoke:
    """See `HitlApproval.step`."""
    payload: dict[str, Any] = {
        "subject": subject,
        "requester": requester,
        TASK_TOKEN: sfn.JsonPath.task_token,
    }
    if approvers is not None:
        payload["approvers"] = approvers if isinstance(approvers, str) else list(approvers)
    if context is not None:
        payload["context"] = context
    longest = None
    if timeout is not None:
        seconds = validation.seconds("timeout", timeout)
        if seconds is not None and seconds < 1:
            msg = f"timeout must be at least 1 s, got {seconds} s"
            raise ValueError(msg)
        payload["timeout_seconds"] = timeout.to_seconds()
        if seconds is not None:
            longest = sfn.Timeout.duration(Duration.seconds(seconds + EXECUTION_MARGIN_SECONDS))
    Aspects.of(Stack.of(scope)).add(_AllowAnswers(mark, workflow_role))
    return tasks.LambdaInvoke.json_path(
        scope,
        construct_id,
        comment=f"Waits for people's approval ({mark})",
        lambda_function=workflow_alias,
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        invocation_type=tasks.LambdaInvocationType.EVENT,
        payload=sfn.TaskInput.from_object(payload),
        task_timeout=longest,
        result_path=result_path,
    )


@jsii.implements(IAspect)
class _AllowAnswers:
    """Lets the workflow answer the state machines that its steps became part of, and no others."""

    def __init__(self, mark: str, role: iam.IRole) -> None:
        self.mark = mark
        self.role = role

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, sfn.CfnStateMachine):
            return
        stack = Stack.of(node)
        machine = cast(Construct, node.node.scope)
        if self.mark not in str(stack.resolve(node.definition_string)):
            return
        construct_id = f"{_ANSWERS}{self.mark[-8:]}"
        if machine.node.try_find_child(construct_id) is None:
            iam.Policy(
                machine,
                construct_id,
                roles=[self.role],
                statements=[
                    iam.PolicyStatement(
                        actions=["states:SendTaskFailure", "states:SendTaskSuccess"],
                        resources=[node.attr_arn],
                    )
                ],
            )
