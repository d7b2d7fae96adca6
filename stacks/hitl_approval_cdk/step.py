"""A Step Functions state that waits for an approval, by task token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import jsii
from aws_cdk import Aspects, Duration, IAspect, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct, IConstruct, IValidation

from hitl_approval.contract import EXECUTION_MARGIN_SECONDS, TASK_TOKEN
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form_source import FormSource, accept_form
from hitl_approval_cdk import rules
from hitl_approval_cdk.gathered import GatheredRights
from hitl_approval_cdk.permissions import Resumer
from hitl_approval_cdk.placement import check_same

_JSONATA = "JSONata"
_JSONATA_TOKEN = "{% $states.context.Task.Token %}"  # noqa: S105  where the token stands


def step(
    scope: Construct,
    construct_id: str,
    *,
    workflow_alias: lambda_.IFunction,
    answers: Resumer,
    deployment: Construct,
    subject: str,
    requester: str,
    approvers: Sequence[str] | str | None,
    timeout: Duration | None,
    context: Mapping[str, Any] | str | None,
    sensitive: Sequence[str] | str | None,
    form: FormSource | None,
    editable: Sequence[str] | str | None,
    result_path: str | None,
    query_language: sfn.QueryLanguage | None,
    outputs: Any,
) -> tasks.LambdaInvoke:
    """See `HitlApproval.step`."""
    check_same(f"{scope.node.path}/{construct_id}", Stack.of(scope), deployment)
    mark = deployment.node.addr
    jsonata = query_language == sfn.QueryLanguage.JSONATA
    _check_output(jsonata=jsonata, result_path=result_path, outputs=outputs)
    payload: dict[str, Any] = {
        "subject": subject,
        "requester": requester,
        TASK_TOKEN: _JSONATA_TOKEN if jsonata else sfn.JsonPath.task_token,
    }
    lists = {"approvers": approvers, "sensitive": sensitive, "editable": editable}
    for name, value in lists.items():
        if value is not None:
            payload[name] = value if isinstance(value, str) else list(value)
    if context is not None:
        payload["context"] = context
    if form is not None:
        payload["form"] = _schema_of(form)
    longest = None
    if timeout is not None:
        seconds = rules.seconds("timeout", timeout)
        if seconds is not None and seconds < 1:
            msg = f"timeout must be at least 1 s, got {seconds} s"
            raise ValueError(msg)
        payload["timeout_seconds"] = timeout.to_seconds()
        if seconds is not None:
            longest = sfn.Timeout.duration(Duration.seconds(seconds + EXECUTION_MARGIN_SECONDS))
    _allow_answers(Stack.of(scope), mark, answers)
    return tasks.LambdaInvoke(
        scope,
        construct_id,
        comment=f"Waits for people's approval ({mark})",
        lambda_function=workflow_alias,
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        invocation_type=tasks.LambdaInvocationType.EVENT,
        payload=sfn.TaskInput.from_object(payload),
        task_timeout=longest,
        query_language=query_language,
        result_path=result_path,
        outputs=outputs,
    )


def _schema_of(form: FormSource) -> dict[str, Any]:
    try:
        return accept_form(form, "form").to_json()
    except InvalidRequest as error:
        raise ValueError(str(error)) from None


def _check_output(*, jsonata: bool, result_path: str | None, outputs: Any) -> None:
    """Where the output goes, in the words of the state's language.

    Raises:
        ValueError: in those of the other one.
    """
    if jsonata and result_path is not None:
        msg = (
            "result_path is JSONPath's, the step speaks JSONata: use outputs={'outcome': "
            "'{% $states.result %}'}, with what it keeps of $states.input"
        )
        raise ValueError(msg)
    if outputs is not None and not jsonata:
        msg = "outputs are JSONata's: use result_path, or query_language=QueryLanguage.JSONATA"
        raise ValueError(msg)


def _allow_answers(stack: Stack, mark: str, answers: Resumer) -> None:
    """Once for a stack and a deployment, however many steps there are."""
    known = len(answers.gathered)
    rights = answers.rights(stack, mark[-8:])
    if len(answers.gathered) > known:
        Aspects.of(stack).add(_AllowAnswers(mark, rights))


@jsii.implements(IAspect)
class _AllowAnswers:
    """Lets the workflow answer the state machines that its steps became part of, and no others."""

    def __init__(self, mark: str, rights: GatheredRights) -> None:
        self.mark = mark
        self.rights = rights

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, sfn.CfnStateMachine):
            return
        stack = Stack.of(node)
        machine = cast(Construct, node.node.scope)
        definition = stack.resolve(node.definition_string)
        if self.mark not in str(definition):
            return
        if _waits_for_ever(definition, self.mark):
            machine.node.add_validation(_SpeaksAnotherLanguage(machine))
        self.rights.add(node.attr_arn)


def _waits_for_ever(definition: Any, mark: str) -> bool:
    """Whether a step is in JSONPath where JSONata is spoken: `$$.Task.Token` is only text there."""
    parts = [definition] if isinstance(definition, str) else definition["Fn::Join"][1]
    try:
        machine = json.loads("".join(part if isinstance(part, str) else "" for part in parts))
    except ValueError:
        return False  # what is not text is left out, and it need not be JSON without it
    language = {"QueryLanguage": machine.get("QueryLanguage")}
    return any(
        (language | state)["QueryLanguage"] == _JSONATA and _JSONATA_TOKEN not in str(state)
        for state in _objects(machine)
        if mark in str(state.get("Comment"))
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _objects(inner)


@jsii.implements(IValidation)
class _SpeaksAnotherLanguage:
    def __init__(self, machine: Construct) -> None:
        self.machine = machine

    def validate(self) -> list[str]:
        msg = (
            f"{self.machine.node.path} speaks JSONata, its approval step JSONPath, and would wait "
            f"for ever: use approvals.step(..., query_language=QueryLanguage.JSONATA)"
        )
        return [msg]
