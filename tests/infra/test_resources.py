"""What is deployed: tables, topic, functions, their environment and the outputs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hitl_approval import contract
from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Env, Output
from hitl_approval.domain.policy import Policy, Quorum
from hitl_approval.settings import Settings
from hitl_approval_cli.stack_outputs import deployments_in
from tests.infra.synth import ROOT, Resources, of_type, text

WORKFLOW_ENV = {
    Env.APPROVALS_TABLE_NAME,
    Env.AUDIT_TABLE_NAME,
    Env.SNS_TOPIC_ARN,
    Env.APPROVAL_TIMEOUT_SECONDS,
    Env.MAX_APPROVAL_TIMEOUT_SECONDS,
    Env.APPROVAL_POLICY,
    Env.DEFAULT_APPROVERS,
    Env.APPROVER_GROUPS,
    Env.RESUME_MODE,
    Env.POLL_INTERVAL_SECONDS,
    Env.RETENTION_DAYS,
    Env.LOG_LEVEL,
}
APPROVAL_ENV = {
    Env.APPROVALS_TABLE_NAME,
    Env.AUDIT_TABLE_NAME,
    Env.TRUST_AUTHORIZER,
    Env.SIGN_IN_CLAIM,
    Env.LOG_LEVEL,
}
INBOX_ENV = {Env.INBOX_TABLE_NAME}


SWEEP_ENV = {Env.APPROVALS_TABLE_NAME, Env.AUDIT_TABLE_NAME, Env.LOG_LEVEL}
RELAY_ENV = SWEEP_ENV | INBOX_ENV | {Env.EVENT_BUS_NAME}
PAGE_ENV = {Env.PAGE_URL, Env.PERSONAL_TOPIC_ARN, Env.PAGE_CHALLENGE}


def functions(resources: Resources) -> dict[str, dict[str, Any]]:
    """Handler -> properties, for the first deployment in the template."""
    found = of_type(resources, "AWS::Lambda::Function")
    return {properties["Handler"]: properties for properties in found.values()}


def environment(resources: Resources, handler: str) -> dict[str, str]:
    variables = functions(resources)[handler]["Environment"]["Variables"]
    return {name: text(value) for name, value in variables.items()}


class TestEnvironment:
    def test_should_set_what_the_contract_names_and_nothing_else(
        self, any_resources: Resources
    ) -> None:
        page = contract.Handler.PAGE in functions(any_resources)
        asking = WORKFLOW_ENV | (PAGE_ENV if page else set())
        assert set(environment(any_resources, contract.Handler.WORKFLOW)) == asking
        if page:
            assert set(environment(any_resources, contract.Handler.PAGE)) == SWEEP_ENV | {
                Env.PAGE_URL
            }
        relay = contract.Handler.PUBLISHER in functions(any_resources)
        answering = APPROVAL_ENV | (INBOX_ENV if relay else set())
        assert set(environment(any_resources, contract.Handler.APPROVAL_API)) == answering
        assert set(environment(any_resources, contract.Handler.SWEEP)) == SWEEP_ENV
        if contract.Handler.SIGNED_IN in functions(any_resources):
            signed_in = environment(any_resources, contract.Handler.SIGNED_IN)
            assert set(signed_in) == SWEEP_ENV | INBOX_ENV | {Env.PAGE_URL, Env.SIGN_IN_CLAIM}
        if relay:
            assert set(environment(any_resources, contract.Handler.PUBLISHER)) == RELAY_ENV
        named = {value for name, value in vars(Env).items() if name.isupper()}
        assert named == WORKFLOW_ENV | APPROVAL_ENV | RELAY_ENV | PAGE_ENV | {Env.SIGNING_KEY_ARN}

    def test_should_be_the_environment_that_the_workflow_tests_run_with(
        self, deployment_environment: dict[str, str]
    ) -> None:
        assert set(deployment_environment) == WORKFLOW_ENV

    def test_should_be_read_by_the_runtime_as_it_was_meant(self, default: Resources) -> None:
        settings = Settings(values=environment(default, contract.Handler.WORKFLOW))
        assert settings.approval_timeout == timedelta(minutes=5)
        assert settings.max_approval_timeout == timedelta(days=7, minutes=-15)
        assert settings.policy == Policy()
        assert settings.default_approvers == ()
        assert settings.resume == "callback"
        assert settings.poll_interval == timedelta(seconds=5)
        assert settings.retention == timedelta(days=30)
        assert settings.topic_arn == "<ApprovalTopic>"
        assert settings.log_level == "INFO"
        assert not Settings(
            values=environment(default, contract.Handler.APPROVAL_API)
        ).trust_authorizer

    def test_should_carry_a_polling_deployment_with_its_own_rules(
        self, templates: dict[str, Any]
    ) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        settings = Settings(values=environment(resources, contract.Handler.WORKFLOW))
        assert settings.resume == "polling"
        assert settings.poll_interval == timedelta(seconds=10)
        assert settings.approval_timeout == timedelta(days=30)
        assert settings.max_approval_timeout == timedelta(days=31, minutes=-15)
        assert settings.default_approvers == (
            "ann@example.com",
            "bob@example.com",
            "cid@example.com",
        )
        assert settings.policy == Policy(
            quorum=Quorum.at_least(2), require_comment_on_rejection=True
        )

    def test_should_say_when_an_authorizer_can_be_believed(self, templates: dict[str, Any]) -> None:
        found = of_type(templates["embedded_twice"]["Resources"], "AWS::Lambda::Function")
        trusted = {
            name: properties["Environment"]["Variables"][Env.TRUST_AUTHORIZER]
            for name, properties in found.items()
            if properties["Handler"] == contract.Handler.APPROVAL_API
        }
        assert sorted(trusted.values()) == ["false", "true"]
        assert next(v for k, v in trusted.items() if k.startswith("Releases")) == "true"


class TestFunctions:
    def test_should_run_entry_points_that_exist(self, any_resources: Resources) -> None:
        for handler in functions(any_resources):
            module, name = handler.rsplit(".", 1)
            source = ROOT / "lambdas" / Path(*module.split(".")).with_suffix(".py")
            assert f"def {name}(" in source.read_text()

    def test_should_share_one_bundle(self, any_resources: Resources) -> None:
        found = of_type(any_resources, "AWS::Lambda::Function").values()
        assert len({text(properties["Code"]["S3Key"]) for properties in found}) == 1

    def test_should_run_on_arm_with_the_patterns_python(self, any_resources: Resources) -> None:
        for properties in of_type(any_resources, "AWS::Lambda::Function").values():
            assert properties["Architectures"] == ["arm64"]
            assert properties["Runtime"] == "python3.13"
            assert properties["MemorySize"] == 512

    def test_should_make_the_workflow_durable_and_only_it(self, default: Resources) -> None:
        found = functions(default)
        assert found[contract.Handler.WORKFLOW]["DurableConfig"] == {
            "ExecutionTimeout": 7 * 86400,
            "RetentionPeriodInDays": 14,
        }
        assert "DurableConfig" not in found[contract.Handler.APPROVAL_API]
        assert "DurableConfig" not in found[contract.Handler.SWEEP]

    def test_should_sweep_every_five_minutes(self, default: Resources) -> None:
        [rule] = of_type(default, "AWS::Events::Rule").values()
        assert rule["ScheduleExpression"] == "rate(5 minutes)"
        assert rule["State"] == "ENABLED"
        [target] = rule["Targets"]
        assert text(target["Arn"]) == "<ApprovalSweepFunction.Arn>"

    def test_should_hold_longer_waits_than_the_default(self, any_resources: Resources) -> None:
        for properties in of_type(any_resources, "AWS::Lambda::Function").values():
            if properties["Handler"] == contract.Handler.WORKFLOW:
                variables = properties["Environment"]["Variables"]
                longest = int(variables[Env.MAX_APPROVAL_TIMEOUT_SECONDS])
                assert int(variables[Env.APPROVAL_TIMEOUT_SECONDS]) < longest
                assert (
                    properties["DurableConfig"]["ExecutionTimeout"]
                    == longest + contract.EXECUTION_MARGIN_SECONDS
                )

    def test_should_start_a_version_that_stays_when_a_newer_one_comes(
        self, any_resources: Resources
    ) -> None:
        aliases = of_type(any_resources, "AWS::Lambda::Alias")
        assert aliases
        for properties in aliases.values():
            assert properties["Name"] == contract.ALIAS
            version, attribute = properties["FunctionVersion"]["Fn::GetAtt"]
            assert attribute == "Version"
            assert any_resources[version]["Type"] == "AWS::Lambda::Version"
            assert any_resources[version]["DeletionPolicy"] == "RetainExceptOnCreate"
            assert any_resources[version]["UpdateReplacePolicy"] == "Retain"

    def test_should_never_ask_twice_because_an_execution_failed(self, default: Resources) -> None:
        [config] = of_type(default, "AWS::Lambda::EventInvokeConfig").values()
        assert config["MaximumRetryAttempts"] == 0
        assert config["MaximumEventAgeInSeconds"] == 6 * 3600
        assert "LiveAlias" in str(config["Qualifier"])

    def test_should_keep_failed_starts_in_a_queue_of_the_workflows_own(
        self, default: Resources
    ) -> None:
        found = functions(default)
        target = text(found[contract.Handler.WORKFLOW]["DeadLetterConfig"]["TargetArn"])
        assert target == "<ApprovalDeadLetterQueue.Arn>"
        assert "DeadLetterConfig" not in found[contract.Handler.APPROVAL_API]
        [queue] = of_type(default, "AWS::SQS::Queue").values()
        assert queue["MessageRetentionPeriod"] == 14 * 86400
        assert queue["SqsManagedSseEnabled"] is True

    def test_should_log_into_groups_of_its_own_for_a_limited_time(self, default: Resources) -> None:
        groups = of_type(default, "AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups.values()} == {90}
        # The name that Lambda uses by itself, so that `aws logs tail /aws/lambda/NAME` works.
        names = {text(g["LogGroupName"]) for g in groups.values() if "LogGroupName" in g}
        assert names == {
            "/aws/lambda/<ApprovalWorkflowFunction>",
            "/aws/lambda/<ApprovalApprovalFunction>",
            "/aws/lambda/<ApprovalSweepFunction>",
            "/aws/lambda/<ApprovalPublisherFunction>",
            "/aws/lambda/<ApprovalPageFunction>",
        }
        assert not any("LoggingConfig" in found for found in functions(default).values())


class TestStorage:
    def test_should_lay_out_the_approvals_table_as_the_contract_says(
        self, default: Resources
    ) -> None:
        table = _table(default, "ApprovalTable")["Properties"]
        assert table["TableName"] == "hitl-approval-ApprovalRequests"
        assert table["KeySchema"] == [{"AttributeName": "approval_id", "KeyType": "HASH"}]
        index, attention = table["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "StatusIndex"
        assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
            ("status", "HASH"),
            ("created_at", "RANGE"),
        ]
        assert index["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": list(contract.Table.LIST_ATTRIBUTES),
        }
        assert attention["IndexName"] == "AttentionIndex"
        assert [key["AttributeName"] for key in attention["KeySchema"]] == [
            "attention",
            "attention_at",
        ]
        assert attention["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}

    def test_should_lay_out_the_audit_table_without_expiry(self, default: Resources) -> None:
        table = _table(default, "ApprovalAuditTable")["Properties"]
        assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
            ("approval_id", "HASH"),
            ("sequence", "RANGE"),
        ]
        assert {"AttributeName": "sequence", "AttributeType": "N"} in table["AttributeDefinitions"]
        assert "TimeToLiveSpecification" not in table

    @pytest.mark.parametrize("name", ["ApprovalTable", "ApprovalAuditTable"])
    def test_should_keep_recover_and_encrypt_every_table(
        self, default: Resources, name: str
    ) -> None:
        table = _table(default, name)
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"

    def test_should_keep_nothing_that_a_rolled_back_deployment_made(
        self, any_resources: Resources
    ) -> None:
        # It would have no stack, and its name would stop the next deployment.
        kept = {r["Type"] for r in any_resources.values() if r.get("DeletionPolicy") == "Retain"}
        assert kept <= {"AWS::KMS::Key"}  # brought along

    def test_should_encrypt_everything_that_holds_requests_with_the_customers_key(
        self, templates: dict[str, Any]
    ) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        for table in of_type(resources, "AWS::DynamoDB::Table").values():
            assert text(table["SSESpecification"]["KMSMasterKeyId"]) == "<Key.Arn>"
        [topic] = of_type(resources, "AWS::SNS::Topic").values()
        assert text(topic["KmsMasterKeyId"]) == "<Key.Arn>"
        [queue] = of_type(resources, "AWS::SQS::Queue").values()
        assert text(queue["KmsMasterKeyId"]) == "<Key.Arn>"

    def test_should_delete_the_tables_when_asked_to(self, templates: dict[str, Any]) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        for resource in resources.values():
            if resource["Type"] == "AWS::DynamoDB::Table":
                assert resource["DeletionPolicy"] == "Delete"

    def test_should_make_neither_table_nor_topic_where_they_are_brought_along(
        self, templates: dict[str, Any]
    ) -> None:
        kinds = {r["Type"] for r in templates["brought_along"]["Resources"].values()}
        assert not kinds & {"AWS::DynamoDB::Table", "AWS::SNS::Topic"}

    def test_should_refuse_unencrypted_connections_to_topic_and_queue(
        self, default: Resources
    ) -> None:
        for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
            policies = of_type(default, kind).values()
            assert policies
            for policy in policies:
                [statement] = policy["PolicyDocument"]["Statement"]
                assert statement["Effect"] == "Deny"
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_should_subscribe_the_addresses_it_is_given(self, templates: dict[str, Any]) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
        assert subscription["Protocol"] == "email"
        assert subscription["Endpoint"] == "ann@example.com"

    def test_should_fix_no_physical_name_inside_the_construct(
        self, templates: dict[str, Any]
    ) -> None:
        for name in ("polling_with_customer_key", "embedded_twice", "brought_along"):
            for resource in templates[name]["Resources"].values():
                properties = resource.get("Properties", {})
                fixed = {"TableName", "TopicName", "QueueName", "RoleName"}
                assert not fixed & properties.keys()
                if resource["Type"] == "AWS::Lambda::Function":
                    assert "FunctionName" not in properties


class TestOutputs:
    def test_should_put_out_what_the_contract_names(self, templates: dict[str, Any]) -> None:
        outputs = templates["default"]["Outputs"]
        assert set(outputs) == set(OUTPUTS) - {Output.SIGNING_KEY_ARN}
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
            Output.SNS_TOPIC_ARN: "<ApprovalTopic>",
            Output.PAGE_URL: "<ApprovalPageApi.ApiEndpoint>",
            Output.VERSION: LIBRARY_VERSION,
        }

    def test_should_put_out_the_same_below_each_embedded_construct(
        self, templates: dict[str, Any]
    ) -> None:
        outputs = templates["embedded_twice"]["Outputs"]
        described = [{"OutputKey": key, "OutputValue": key} for key in outputs]
        found = deployments_in({"StackName": "Embedding", "Outputs": described})
        assert {name: set(values) for name, values in found.items()} == {
            "Embedding/Payments": set(OUTPUTS) - {Output.PAGE_URL, Output.SIGNING_KEY_ARN},
            "Embedding/Releases": set(OUTPUTS) - {Output.PAGE_URL, Output.SIGNING_KEY_ARN},
        }
        for name, values in found.items():
            topic = outputs[values[Output.SNS_TOPIC_ARN]]["Value"]
            assert text(topic) == f"<{name.removeprefix('Embedding/')}Topic>"

    def test_should_say_what_each_is(self, any_template: dict[str, Any]) -> None:
        assert all(output["Description"] for output in any_template["Outputs"].values())


def _table(resources: Resources, prefix: str) -> dict[str, Any]:
    [found] = [
        dict(resource)
        for name, resource in resources.items()
        if resource["Type"] == "AWS::DynamoDB::Table" and text({"Ref": name}) == f"<{prefix}>"
    ]
    return found
