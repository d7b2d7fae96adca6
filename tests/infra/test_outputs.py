"""The outputs by which `hitl` finds a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aws_cdk import NestedStack, Stack, Stage, assertions
from constructs import Construct

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Env, Handler, Output
from hitl_approval_cdk import ApprovalPage, HitlApproval, HitlApprovalStack
from hitl_approval_cli.stack_outputs import deployments_in
from tests.infra.synth import any_app, text

OF_AN_ARCHIVE = {Output.ARCHIVE_BUCKET_NAME, Output.ARCHIVE_KEY_ARN}
OF_A_SIGN_IN = {Output.SIGN_IN_ISSUER, Output.SIGN_IN_CLIENT_ID}


class TestOutputs:
    def test_should_put_out_what_the_contract_names(self, templates: dict[str, Any]) -> None:
        outputs = templates["default"]["Outputs"]
        absent = OF_A_SIGN_IN | OF_AN_ARCHIVE | {Output.SIGNING_KEY_ARN, Output.MAIL_SENDER}
        assert set(outputs) == set(OUTPUTS) - absent
        values = {name: output["Value"] for name, output in outputs.items()}
        version = values.pop(Output.WORKFLOW_VERSION)["Fn::GetAtt"]
        assert "CurrentVersion" in version[0]
        assert version[1] == "Version"
        assert {name: text(value) for name, value in values.items()} == {
            Output.WORKFLOW_FUNCTION_NAME: "<ApprovalWorkflowFunction>",
            Output.WORKFLOW_FUNCTION_ARN: "<ApprovalLiveAlias>",
            Output.APPROVAL_API_FUNCTION_NAME: "<ApprovalApprovalFunction>",
            Output.SWEEP_FUNCTION_NAME: "<ApprovalSweepFunction>",
            Output.APPROVALS_TABLE_NAME: "<ApprovalTable>",
            Output.AUDIT_TABLE_NAME: "<ApprovalAuditTable>",
            Output.INBOX_TABLE_NAME: "<ApprovalInboxTable>",
            Output.MESSAGES_TABLE_NAME: "<ApprovalMessagesTable>",
            Output.SNS_TOPIC_ARN: "<ApprovalTopic>",
            Output.PAGE_URL: "<ApprovalPageApi.ApiEndpoint>",
            Output.PERSONAL_TOPIC_ARN: "<ApprovalPagePersonalTopic>",
            Output.VERSION: LIBRARY_VERSION,
        }

    def test_should_put_out_the_same_below_each_embedded_construct(
        self, templates: dict[str, Any]
    ) -> None:
        outputs = templates["embedded_twice"]["Outputs"]
        described = [{"OutputKey": key, "OutputValue": key} for key in outputs]
        found = deployments_in({"StackName": "Embedding", "Outputs": described})
        paged = {
            Output.PAGE_URL,
            Output.PERSONAL_TOPIC_ARN,
            Output.MAIL_SENDER,
            Output.MESSAGES_TABLE_NAME,
        }
        missing = paged | OF_A_SIGN_IN | OF_AN_ARCHIVE | {Output.SIGNING_KEY_ARN}
        assert {name: set(values) for name, values in found.items()} == {
            "Embedding/Payments": set(OUTPUTS) - missing,
            "Embedding/Releases": set(OUTPUTS) - missing,
        }
        for name, values in found.items():
            topic = outputs[values[Output.SNS_TOPIC_ARN]]["Value"]
            assert text(topic) == f"<{name.removeprefix('Embedding/')}Topic>"

    def test_should_say_by_whom_browsers_sign_in(self, templates: dict[str, Any]) -> None:
        outputs = templates["signed_in_by_cognito"]["Outputs"]
        assert set(outputs) == set(OUTPUTS) - OF_AN_ARCHIVE - {
            Output.SIGNING_KEY_ARN,
            Output.MAIL_SENDER,
        }
        assert text(outputs[Output.SIGN_IN_CLIENT_ID]["Value"]) == "<ApprovalPageClient>"
        issuer = text(outputs[Output.SIGN_IN_ISSUER]["Value"])
        assert issuer == "https://<ApprovalPagePeople.ProviderName>"

    def test_should_say_what_each_is(self, any_template: dict[str, Any]) -> None:
        assert all(output["Description"] for output in any_template["Outputs"].values())


def deployed(template: Any, handler: str) -> Any:
    """The value of `STACK` of the function with this entry point."""
    found = template.find_resources("AWS::Lambda::Function", {"Properties": {"Handler": handler}})
    [function] = found.values()
    return function["Properties"]["Environment"]["Variables"].get(Env.STACK)


@pytest.mark.parametrize(
    "path",
    [
        ["Payments"],
        ["Payments", "Approvals"],
        ["Approvals", "Approvals"],
        ["My-Team", "Approvals_2"],
        ["Default", "Approvals"],
        ["Payments", "Resource"],
        [NestedStack, "Approvals"],
        ["Team", NestedStack, NestedStack, "Approvals"],
        [Stage, "Approvals"],
    ],
    ids=str,
)
def test_should_name_in_messages_what_the_command_finds(path: Sequence[Any]) -> None:
    app = any_app()
    stage = Stage(app, "Prod") if path[0] is Stage else app
    outer = own = Stack(stage, "Embedding")
    scope: Construct = own
    for each in path[:-1]:
        if each is NestedStack:
            scope = own = NestedStack(scope, "Nested")
        elif each is not Stage:
            scope = Construct(scope, each)
    HitlApproval(scope, path[-1], page=ApprovalPage())
    template = assertions.Template.from_stack(own)
    keys = template.to_json()["Outputs"]
    outputs = [{"OutputKey": key, "OutputValue": ""} for key in keys]
    [reference] = deployments_in({"StackName": outer.stack_name, "Outputs": outputs})
    for handler in (Handler.WORKFLOW, Handler.REQUEST_API, Handler.MESSENGER):
        assert deployed(template, handler) == reference
    for handler in (Handler.APPROVAL_API, Handler.SWEEP):
        assert deployed(template, handler) is None


@pytest.mark.parametrize(("name", "said"), [("hitl-approval", None), ("prod", "prod")])
def test_should_name_the_packaged_stack_where_it_is_not_the_commands_own(
    name: str, said: str | None
) -> None:
    stack = HitlApprovalStack(any_app(), "Any", stack_name=name)
    HitlApproval(stack, "Second")
    functions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function")
    found = {
        function["Properties"]["Environment"]["Variables"].get(Env.STACK)
        for key, function in functions.items()
        if "WorkflowFunction" in key
    }
    assert found == {said, f"{name}/Second"}
