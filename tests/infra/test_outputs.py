"""The outputs by which `hitl` finds a deployment."""

from __future__ import annotations

from typing import Any

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Output
from hitl_approval_cli.stack_outputs import deployments_in
from tests.infra.synth import text

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
