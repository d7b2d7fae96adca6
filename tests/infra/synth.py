"""Synthesis for tests: the feature flags of cdk.json, no bundling, no noise in templates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

from aws_cdk import App, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack, assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval_cdk import (
    ApprovalPage,
    Archive,
    HitlApproval,
    HitlApprovalStack,
    Quorum,
    SignIn,
    Slack,
    Webhook,
    context,
)

ROOT = Path(__file__).resolve().parents[2]
FLAGS: Mapping[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]

Resources = Mapping[str, Mapping[str, Any]]


def any_app(**more: Any) -> App:
    """An app with the flags of the deployable one, which bundles nothing."""
    values = {**FLAGS, "aws:cdk:bundling-stacks": [], **more}
    return App(
        analytics_reporting=False,
        default_stack_synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        context=values,
    )


def any_stack(name: str = "Embedding") -> Stack:
    return Stack(any_app(), name)


def template(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = dict(assertions.Template.from_stack(stack).to_json())
    return found


def said(stack: Stack, level: str = "warning") -> list[tuple[str, str]]:
    """(path of the construct, text) of each message of a stack.

    Not `assertions.Annotations`: its answers are types of `aws_cdk/cloud_assembly_schema`, a folder
    that two packages install, and whichever was written last wins.
    """
    cast(App, stack.node.root).synth()
    return [
        (construct.node.path, str(entry.data))
        for construct in stack.node.find_all()
        for entry in construct.node.metadata
        if entry.type == f"aws:cdk:{level}"
    ]


def of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: dict(resource.get("Properties", {}))
        for name, resource in resources.items()
        if resource["Type"] == kind
    }


def text(value: Any) -> str:
    """An intrinsic function as readable text: `<LogicalId.Arn>:*`, hashes of ids left out."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        [(function, argument)] = value.items()
        if function == "Ref":
            return f"<{_short(argument)}>"
        if function == "Fn::GetAtt":
            return f"<{_short(argument[0])}.{argument[1]}>"
        if function == "Fn::Join" and argument[0] == "":
            return "".join(text(part) for part in argument[1])
    raise AssertionError(value)


def _short(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


def example_stack(folder: Path) -> Any:
    """The class of the stack that an example's app.py defines."""
    spec = spec_from_file_location(f"example_{folder.name}", folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    [kind] = [
        made for made in vars(module).values() if getattr(made, "__module__", "") == spec.name
    ]
    return kind


def permissions(resources: Resources) -> dict[str, set[tuple[str, str]]]:
    """Role (or user) -> every (action, resource) that it is allowed; anything unusual fails."""
    allowed: dict[str, set[tuple[str, str]]] = {}
    for role, properties in of_type(resources, "AWS::IAM::Role").items():
        assert not {"Policies", "ManagedPolicyArns"} & properties.keys()
        allowed[_short(role)] = set()
    policies = [
        policy
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for policy in of_type(resources, kind).values()
    ]
    for policy in policies:
        holders = [*policy.get("Roles", []), *policy.get("Users", [])]
        for holder in holders:
            allowed.setdefault(text(holder)[1:-1], set()).update(_statements(policy))
    return allowed


def _statements(policy: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in policy["PolicyDocument"]["Statement"]:
        by_one_sender = statement.get("Condition", {}).get("StringEquals", {}).keys()
        assert by_one_sender <= {"ses:FromAddress", "s3:prefix"}, statement
        assert statement.keys() - {"Condition"} == {"Action", "Effect", "Resource"}, statement
        assert statement["Effect"] == "Allow"
        for action in _many(statement["Action"]):
            for resource in _many(statement["Resource"]):
                yield action, text(resource)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _default(app: App) -> Stack:
    return HitlApprovalStack(app, DEFAULT_STACK_NAME, **context.options({}))


def _signed_in(app: App) -> Stack:
    """The deployable app for a team whose approvers have mailboxes and sign in."""
    values = {
        "approvers": "ann@example.com,bob@example.com",
        "deliver_to": "ann@example.com,bob@example.com",
        "challenge": "true",
        "sign_in": "https://issuer.example.com,approvals",
    }
    return HitlApprovalStack(app, "SignedIn", **context.options(values))


def _mailed(app: App) -> Stack:
    """The deployable app for a company whose people are mailed by SES."""
    values = {"approvers": "ann@example.com", "mail_sender": "approvals@example.com"}
    return HitlApprovalStack(app, "Mailed", **context.options(values))


def _signed_in_by_cognito(app: App) -> Stack:
    values = {"approvers": "ann@example.com,bob@example.com", "sign_in": "cognito"}
    return HitlApprovalStack(app, "SignedIn", **context.options(values))


def _signed_in_by_an_issuer(app: App) -> Stack:
    stack = Stack(app, "SignedIn")
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "approvals-client")
    page = ApprovalPage(
        url="https://approve.example.com",
        sign_in=SignIn.oidc(
            "https://issuer.example.com", client_id="approvals", client_secret=secret
        ),
    )
    HitlApproval(stack, "Approval", page=page)
    return stack


def _polling_with_customer_key(app: App) -> Stack:
    stack = Stack(app, "Polling")
    HitlApproval(
        stack,
        "Approval",
        approval_timeout=Duration.days(30),
        approvers=["ann@example.com", "bob@example.com", "cid@example.com"],
        quorum=Quorum.at_least(2),
        notify_emails=["ann@example.com"],
        resume="polling",
        poll_interval=Duration.seconds(10),
        removal_policy=RemovalPolicy.DESTROY,
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        require_comment_on_rejection=True,
    )
    return stack


def _embedded_twice(app: App) -> Stack:
    stack = Stack(app, "Embedding")
    payments = HitlApproval(stack, "Payments", notify_emails=["finance@example.com"])
    HitlApproval(stack, "Releases", notify_emails=["leads@example.com"], trust_authorizer=True)
    payments.grant_request(iam.User(stack, "Requester"))
    payments.grant_decide(iam.User(stack, "Decider"))
    return stack


def _brought_along(app: App) -> Stack:
    stack = Stack(app, "BroughtAlong")
    key = kms.Key.from_key_arn(
        stack, "Key", "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222"
    )
    HitlApproval(
        stack,
        "Approval",
        table=dynamodb.Table.from_table_attributes(
            stack,
            "Table",
            table_arn="arn:aws:dynamodb:eu-central-1:123456789012:table/approvals",
            encryption_key=key,
        ),
        audit_table=dynamodb.Table.from_table_arn(
            stack, "Audit", "arn:aws:dynamodb:eu-central-1:123456789012:table/audit"
        ),
        topic=sns.Topic.from_topic_arn(
            stack, "Topic", "arn:aws:sns:eu-central-1:123456789012:approvers"
        ),
    )
    return stack


def _archived(app: App) -> Stack:
    stack = Stack(app, "Archived")
    HitlApproval(stack, "Approval", archive=Archive(retention=Duration.days(2_557)))
    return stack


def _in_slack(app: App) -> Stack:
    stack = Stack(app, "InSlack")
    app_of_ours = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-1b2c3d"
    HitlApproval(
        stack,
        "Approval",
        page=ApprovalPage(),
        slack=Slack(
            secret=secretsmanager.Secret.from_secret_complete_arn(stack, "SlackApp", app_of_ours),
            team_id="T0123ABCD",
            channel="C0123ABCD",
        ),
        webhooks=[
            Webhook(
                name="teams",
                secret=secretsmanager.Secret.from_secret_complete_arn(
                    stack, "Teams", app_of_ours.replace("slack", "teams")
                ),
            )
        ],
    )
    return stack


def _monitored(app: App) -> Stack:
    """The deployable app for a team that is paged."""
    watched = '{"alarm_emails": ["ops@example.com"], "pending_age_seconds": 86400}'
    values = {"approvers": "ann@example.com", "monitoring": watched}
    return HitlApprovalStack(app, "Monitored", **context.options(values))


def _asked_by_agents(app: App) -> Stack:
    """The deployable app for a team whose agents ask."""
    values = {"approvers": "ann@example.com", "sign_in": "cognito", "mcp": "true"}
    return HitlApprovalStack(app, "Agents", **context.options(values))


CONFIGURATIONS: Mapping[str, Callable[[App], Stack]] = {
    "default": _default,
    "signed_in": _signed_in,
    "mailed": _mailed,
    "signed_in_by_cognito": _signed_in_by_cognito,
    "signed_in_by_an_issuer": _signed_in_by_an_issuer,
    "polling_with_customer_key": _polling_with_customer_key,
    "embedded_twice": _embedded_twice,
    "brought_along": _brought_along,
    "in_slack": _in_slack,
    "archived": _archived,
    "monitored": _monitored,
    "asked_by_agents": _asked_by_agents,
}
"""What users write: one builder per configuration."""


def durable(scope: Stack, name: str = "Refund", **options: Any) -> lambda_.Function:
    values: dict[str, Any] = {
        "runtime": lambda_.Runtime.PYTHON_3_13,
        "handler": "refund.handler",
        "code": lambda_.Code.from_inline("pass"),
        "durable_config": lambda_.DurableConfig(execution_timeout=Duration.days(2)),
        "role": iam.Role(
            scope, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        ),
    }
    return lambda_.Function(scope, name, **(values | options))


def granted(stack: Stack, user: str) -> set[tuple[str, str]]:
    return permissions(template(stack)["Resources"]).get(user, set())


def functions(resources: Resources) -> dict[str, dict[str, Any]]:
    """Handler -> properties, for the first deployment in the template."""
    found = of_type(resources, "AWS::Lambda::Function")
    return {properties["Handler"]: properties for properties in found.values()}


def warnings_of(stack: Stack) -> str:
    """The warnings of a stack, one a line."""
    return "\n".join(message for _, message in said(stack))
