"""The functions: their environment, their bundle, their versions and their logs."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from aws_cdk import aws_lambda as lambda_

from hitl_approval import contract
from hitl_approval.contract import Env
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.settings import Settings
from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.declaration import DECLARED
from hitl_approval_cdk.option import Readers
from tests.infra.synth import ROOT, Resources, any_stack, functions, of_type, template, text


def variables(of: Readers) -> set[str]:
    """The variables of the options that these functions read."""
    declared = [each.option.variable for each in DECLARED.values()]
    return {variable.name for variable in declared if variable and of in variable.readers}


SWEEP_ENV = {Env.APPROVALS_TABLE_NAME, Env.AUDIT_TABLE_NAME, *variables("every function")}


REQUEST_ENV = {
    *SWEEP_ENV,
    # Reminders only where a deployment has its own.
    *(variables("functions that write requests") - {Env.REMINDERS}),
    Env.SNS_TOPIC_ARN,
    Env.APPROVAL_POLICY,
    Env.DEFAULT_APPROVERS,
}


WAITING_ENV = {
    *variables("functions that wait"),
    Env.MAX_APPROVAL_TIMEOUT_SECONDS,
    Env.DEFAULT_APPROVERS,
}


WORKFLOW_ENV = REQUEST_ENV | WAITING_ENV


ATTACHED_ENV = {*WAITING_ENV, *variables("every function"), Env.REQUEST_FUNCTION_ARN}


APPROVAL_ENV = {
    *SWEEP_ENV,
    *(variables("approval function") - {Env.OPERATORS}),
    Env.SIGN_IN_CLAIM,
    Env.APPROVAL_POLICY,
    Env.DEFAULT_APPROVERS,
}


INBOX_ENV = {Env.INBOX_TABLE_NAME}


PUBLISHER_ENV = SWEEP_ENV | INBOX_ENV | {Env.EVENT_BUS_NAME}


SIGN_IN_ENV = {Env.SIGN_IN_ISSUER, Env.SIGN_IN_CLIENT_ID, Env.SESSION_KEY_ARN}
"""Of the signed-in function where browsers sign in to it."""


PAGE_ENV = {Env.PAGE_URL, Env.PAGE_CHALLENGE}


MESSENGER_ENV = {
    *SWEEP_ENV,
    *(variables("messenger function") - {Env.DETAILED_METRICS}),
    Env.MESSAGES_TABLE_NAME,
    Env.PERSONAL_TOPIC_ARN,
    Env.PAGE_URL,
}


def environment(resources: Resources, handler: str) -> dict[str, str]:
    variables = functions(resources)[handler]["Environment"]["Variables"]
    return {name: text(value) for name, value in variables.items()}


class TestEnvironment:
    def test_should_set_what_the_contract_names_and_nothing_else(
        self, any_resources: Resources
    ) -> None:
        page = contract.Handler.PAGE in functions(any_resources)
        signing = functions(any_resources).get(contract.Handler.SIGNED_IN)
        watched = of_type(any_resources, "AWS::CloudWatch::Dashboard")
        measured = {Env.DETAILED_METRICS} if watched else set()
        mailed = bool(of_type(any_resources, "AWS::SES::ConfigurationSet"))
        entry = {Env.INBOX_URL} if signing and Env.SIGN_IN_ISSUER in str(signing) else set()
        # Where it has another name than the command's default: `test_outputs` says which.
        entry |= {Env.STACK} & set(environment(any_resources, contract.Handler.WORKFLOW))
        asking = WORKFLOW_ENV | (PAGE_ENV if page else set()) | entry
        assert set(environment(any_resources, contract.Handler.WORKFLOW)) == asking
        requests = REQUEST_ENV | (PAGE_ENV if page else set()) | entry
        assert set(environment(any_resources, contract.Handler.REQUEST_API)) == requests
        if page:
            assert set(environment(any_resources, contract.Handler.PAGE)) == SWEEP_ENV | {
                Env.MESSAGES_TABLE_NAME,
                Env.PAGE_URL,
            }
            messenger = environment(any_resources, contract.Handler.MESSENGER)
            in_slack = contract.Handler.SLACK_API in functions(any_resources)
            chat = {Env.SLACK, Env.WEBHOOKS, Env.DIRECTORY}
            by_mail = {Env.MAIL, Env.DIRECTORY} if mailed else set()
            expected = MESSENGER_ENV | chat if in_slack else MESSENGER_ENV - chat
            assert set(messenger) - {Env.DETAILED_METRICS} == expected | entry | by_mail
            assert measured <= set(messenger)
        publisher = contract.Handler.PUBLISHER in functions(any_resources)
        answering = APPROVAL_ENV | (INBOX_ENV if publisher else set())
        answering |= {Env.MESSAGES_TABLE_NAME} if page else set()
        assert set(environment(any_resources, contract.Handler.APPROVAL_API)) == answering
        assert set(environment(any_resources, contract.Handler.SWEEP)) == SWEEP_ENV | measured
        if contract.Handler.SIGNED_IN in functions(any_resources):
            signed_in = environment(any_resources, contract.Handler.SIGNED_IN)
            by_browser = SIGN_IN_ENV if Env.SIGN_IN_ISSUER in signed_in else set()
            if Env.WORKFLOW_ALIAS_ARN in signed_in:
                by_browser = by_browser | {Env.WORKFLOW_ALIAS_ARN, Env.INBOX_URL}
            assert set(signed_in) - {Env.SIGN_IN_CLIENT_SECRET_ARN} == {
                *(SWEEP_ENV | INBOX_ENV | by_browser),
                Env.MESSAGES_TABLE_NAME,
                Env.PAGE_URL,
                Env.SIGN_IN_CLAIM,
                Env.REQUESTS_NAME_APPROVERS,
            }
        if publisher:
            publishing = set(environment(any_resources, contract.Handler.PUBLISHER))
            assert publishing - {Env.ARCHIVE} == PUBLISHER_ENV
            archived = of_type(any_resources, "AWS::S3::Bucket")
            assert (Env.ARCHIVE in publishing) == bool(archived)
        if contract.Handler.SLACK_API in functions(any_resources):
            slack = environment(any_resources, contract.Handler.SLACK_API)
            assert set(slack) == SWEEP_ENV | {Env.SLACK}
        named = {value for name, value in vars(Env).items() if name.isupper()}
        assert named == WORKFLOW_ENV | APPROVAL_ENV | PUBLISHER_ENV | PAGE_ENV | MESSENGER_ENV | {
            Env.APPROVER_GROUPS,
            Env.ARCHIVE,
            Env.DETAILED_METRICS,
            Env.APPROVAL_RULES,
            Env.DIRECTORY,
            *SIGN_IN_ENV,
            Env.SIGN_IN_CLIENT_SECRET_ARN,
            Env.ORGANIZATION,
            Env.REMINDERS,
            Env.REQUEST_FUNCTION_ARN,
            Env.OPERATORS,
            Env.PERSONAL_SESSIONS,
            Env.DIRECTORY,
            Env.INBOX_URL,
            Env.MAIL,
            Env.SIGNING_KEY_ARN,
            Env.SIGN_IN_MAX_AGE_SECONDS,
            Env.STACK,
            Env.WORKFLOW_ALIAS_ARN,
        }

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

    def test_should_run_the_patterns_python_on_graviton(self, any_resources: Resources) -> None:
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

    def test_should_publish_what_an_app_adds_to_the_workflow_function(self) -> None:
        """A layer and a variable of the OpenTelemetry plugin's, say: docs/events.md."""

        def published(layer: str | None = None, plugin: str | None = None) -> str:
            stack = any_stack()
            approvals = HitlApproval(stack, "Approvals", tracing=lambda_.Tracing.ACTIVE)
            if layer is not None:
                arn = f"arn:aws:lambda:us-east-1:123456789012:layer:{layer}"
                approvals.workflow_function.add_layers(
                    lambda_.LayerVersion.from_layer_version_arn(stack, "Plugin", arn)
                )
            if plugin is not None:
                approvals.workflow_function.add_environment("DURABLE_EXECUTION_PLUGINS", plugin)
            resources: Resources = template(stack)["Resources"]
            workflow = functions(resources)[contract.Handler.WORKFLOW]
            assert [arn.rpartition("layer:")[2] for arn in workflow.get("Layers", [])] == (
                [layer] if layer else []
            )
            variables = environment(resources, contract.Handler.WORKFLOW)
            assert variables.get("DURABLE_EXECUTION_PLUGINS") == plugin
            [alias] = of_type(resources, "AWS::Lambda::Alias").values()
            return str(alias["FunctionVersion"]["Fn::GetAtt"][0])

        ways: list[tuple[str | None, str | None]] = [
            (None, None),
            ("otel:1", None),
            ("otel:2", None),
            ("otel:2", "otel-execution"),
            ("otel:2", "otel-invocation"),
        ]
        versions = [published(*way) for way in ways]
        assert len(set(versions)) == len(ways)
        assert published(*ways[-1]) == versions[-1]

    def test_should_never_ask_twice_because_an_execution_failed(self, default: Resources) -> None:
        [config] = of_type(default, "AWS::Lambda::EventInvokeConfig").values()
        assert config["MaximumRetryAttempts"] == 0
        assert config["MaximumEventAgeInSeconds"] == 6 * 3600
        assert "LiveAlias" in str(config["Qualifier"])

    def test_should_log_into_groups_of_its_own_for_a_limited_time(self, default: Resources) -> None:
        groups = of_type(default, "AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups.values()} == {90}
        # The name that Lambda uses by itself, so that `aws logs tail /aws/lambda/NAME` works.
        names = {text(g["LogGroupName"]) for g in groups.values() if "LogGroupName" in g}
        assert names == {
            "/aws/lambda/<ApprovalWorkflowFunction>",
            "/aws/lambda/<ApprovalRequestFunction>",
            "/aws/lambda/<ApprovalApprovalFunction>",
            "/aws/lambda/<ApprovalSweepFunction>",
            "/aws/lambda/<ApprovalPublisherFunction>",
            "/aws/lambda/<ApprovalPageFunction>",
            "/aws/vendedlogs/apis/<ApprovalPageApi>",
            "/aws/lambda/<ApprovalMessengerFunction>",
        }
        assert not any("LoggingConfig" in found for found in functions(default).values())


def test_should_leave_room_in_each_functions_own_policy(templates: dict[str, Any]) -> None:
    """Each route of the page is a statement there, and Lambda takes 20 KB of them."""
    # What a statement holds, with the longest names: Sid 100, two ARNs of 140 and 120, words 190.
    longest, allowed = 550, 20_480
    most = max(
        Counter(
            json.dumps(permission["FunctionName"])
            for permission in of_type(template["Resources"], "AWS::Lambda::Permission").values()
        ).most_common(1)[0][1]
        for template in templates.values()
    )
    assert most > 20, "the signed-in function's"
    assert most * longest < allowed * 3 / 4, "the rest is for what users grant"
