"""Who may do what. Threat: a function that is tricked must not be able to rewrite history,
decide without a record, or reach anything that belongs to somebody else.
"""

from __future__ import annotations

import ast
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer

from hitl_approval.adapters.callbacks import LambdaCallbackClient
from hitl_approval_cdk import ApprovalPage, HitlApproval
from tests.infra.synth import (
    ROOT,
    Resources,
    any_stack,
    durable,
    of_type,
    permissions,
    template,
    text,
)

TABLE = "<ApprovalTable.Arn>"
AUDIT = "<ApprovalAuditTable.Arn>"
STREAM = "<ApprovalAuditTable.StreamArn>"
QUEUE = "<ApprovalDeadLetterQueue.Arn>"
DEFAULT_BUS = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default"
EXECUTIONS = "<ApprovalWorkflowFunction.Arn>:*"

PAGE = {
    ("dynamodb:ConditionCheckItem", TABLE),
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:PutItem", AUDIT),
    ("dynamodb:Query", AUDIT),
    ("dynamodb:Query", "<ApprovalMessagesTable.Arn>"),
    ("lambda:GetDurableExecution", EXECUTIONS),
    ("lambda:SendDurableExecutionCallbackSuccess", EXECUTIONS),
    ("logs:CreateLogStream", "<ApprovalPageLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalPageLogs.Arn>"),
}
LOGS = "<ApprovalSignedInLogs.Arn>"
INBOX = "<ApprovalInboxTable.Arn>"
MESSAGES = "<ApprovalMessagesTable.Arn>"
READS_MESSAGES = ("dynamodb:Query", MESSAGES)
REPAIRS_MESSAGES = ("dynamodb:UpdateItem", MESSAGES)
FUNCTIONS = ("Workflow", "Request", "Approval", "Sweep", "Publisher")

WORKFLOW = {
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:PutItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:PutItem", AUDIT),
    ("dynamodb:Query", AUDIT),
    ("sns:Publish", "<ApprovalTopic>"),
    ("sqs:SendMessage", "<ApprovalDeadLetterQueue.Arn>"),
    ("logs:CreateLogStream", "<ApprovalWorkflowLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalWorkflowLogs.Arn>"),
    ("lambda:CheckpointDurableExecution", EXECUTIONS),
    ("lambda:GetDurableExecutionState", EXECUTIONS),
    ("lambda:SendDurableExecutionCallbackSuccess", EXECUTIONS),
}
REQUEST = {
    *(
        permission
        for permission in WORKFLOW
        if permission[0].partition(":")[0] in {"dynamodb", "sns"}
    ),
    ("logs:CreateLogStream", "<ApprovalRequestLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalRequestLogs.Arn>"),
}
APPROVAL = {
    ("dynamodb:ConditionCheckItem", TABLE),
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:Query", f"{TABLE}/index/StatusIndex"),
    ("dynamodb:PutItem", AUDIT),
    ("dynamodb:Query", AUDIT),
    ("dynamodb:Query", INBOX),
    ("lambda:GetDurableExecution", EXECUTIONS),
    ("lambda:SendDurableExecutionCallbackSuccess", EXECUTIONS),
    ("logs:CreateLogStream", "<ApprovalApprovalLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalApprovalLogs.Arn>"),
}
SWEEP = {
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:Query", f"{TABLE}/index/AttentionIndex"),
    ("dynamodb:PutItem", AUDIT),
    ("lambda:GetDurableExecution", EXECUTIONS),
    ("lambda:SendDurableExecutionCallbackSuccess", EXECUTIONS),
    ("logs:CreateLogStream", "<ApprovalSweepLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalSweepLogs.Arn>"),
}
PUBLISHER = {
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:DescribeStream", STREAM),
    ("dynamodb:GetRecords", STREAM),
    ("dynamodb:GetShardIterator", STREAM),
    ("dynamodb:ListStreams", STREAM),
    ("dynamodb:BatchWriteItem", INBOX),
    ("events:PutEvents", DEFAULT_BUS),
    ("sqs:SendMessage", QUEUE),
    ("logs:CreateLogStream", "<ApprovalPublisherLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalPublisherLogs.Arn>"),
}
MESSENGER = {
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:UpdateItem", TABLE),
    ("dynamodb:PutItem", AUDIT),
    ("dynamodb:Query", AUDIT),
    ("dynamodb:DescribeStream", STREAM),
    ("dynamodb:GetRecords", STREAM),
    ("dynamodb:GetShardIterator", STREAM),
    ("dynamodb:ListStreams", STREAM),
    ("dynamodb:PutItem", MESSAGES),
    ("dynamodb:Query", MESSAGES),
    ("dynamodb:UpdateItem", MESSAGES),
    ("dynamodb:Query", f"{MESSAGES}/index/DueIndex"),
    ("sns:Publish", "<ApprovalPagePersonalTopic>"),
    ("sqs:SendMessage", QUEUE),
    ("logs:CreateLogStream", "<ApprovalMessengerLogs.Arn>"),
    ("logs:PutLogEvents", "<ApprovalMessengerLogs.Arn>"),
}
TABLE_KEY = {
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}


def test_should_allow_each_function_exactly_what_it_does(default: Resources) -> None:
    assert permissions(default) == {
        "ApprovalWorkflowRole": WORKFLOW,
        "ApprovalRequestRole": REQUEST,
        "ApprovalApprovalRole": APPROVAL | {READS_MESSAGES, REPAIRS_MESSAGES},
        "ApprovalSweepRole": SWEEP,
        "ApprovalPublisherRole": PUBLISHER,
        "ApprovalPageRole": PAGE,
        "ApprovalMessengerRole": MESSENGER,
    }


def test_should_allow_signed_in_people_what_the_approval_function_may(
    templates: dict[str, Any],
) -> None:
    found = permissions(templates["signed_in"]["Resources"])
    logs = {("logs:CreateLogStream", LOGS), ("logs:PutLogEvents", LOGS)}
    own = {permission for permission in APPROVAL if not permission[0].startswith("logs:")}
    assert found["ApprovalSignedInRole"] == own | logs | {READS_MESSAGES}


def test_should_allow_the_same_without_feature_flags() -> None:
    stack = Stack(App(context={"aws:cdk:bundling-stacks": []}), "Plain")
    HitlApproval(stack, "Approval", topic=sns.Topic(stack, "ApprovalTopic"))
    assert permissions(template(stack)["Resources"]) == {
        "ApprovalWorkflowRole": WORKFLOW,
        "ApprovalRequestRole": REQUEST,
        "ApprovalApprovalRole": APPROVAL,
        "ApprovalSweepRole": SWEEP,
        "ApprovalPublisherRole": PUBLISHER,
    }


def test_should_allow_a_customer_key_by_exact_actions(templates: dict[str, Any]) -> None:
    resources = templates["polling_with_customer_key"]["Resources"]
    key = {(action, "<Key.Arn>") for action in TABLE_KEY}
    assert permissions(resources) == {
        "ApprovalWorkflowRole": WORKFLOW | key,
        "ApprovalRequestRole": REQUEST | key,
        "ApprovalApprovalRole": APPROVAL | key,
        "ApprovalSweepRole": SWEEP | key,
        "ApprovalPublisherRole": PUBLISHER | key,
    }


def test_should_allow_what_was_brought_along_and_its_key(templates: dict[str, Any]) -> None:
    found = permissions(templates["brought_along"]["Resources"])
    table = "arn:aws:dynamodb:eu-central-1:123456789012:table/approvals"
    audit = "arn:aws:dynamodb:eu-central-1:123456789012:table/audit"
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222"
    topic = "arn:aws:sns:eu-central-1:123456789012:approvers"
    ours = {TABLE: table, AUDIT: audit, "<ApprovalTopic>": topic}

    def moved(permission: tuple[str, str]) -> tuple[str, str]:
        action, resource = permission
        for old, new in ours.items():
            resource = resource.replace(old, new)
        return action, resource

    keys = {(action, key) for action in TABLE_KEY}
    assert found == {
        "ApprovalWorkflowRole": {moved(p) for p in WORKFLOW} | keys,
        "ApprovalRequestRole": {moved(p) for p in REQUEST} | keys,
        "ApprovalApprovalRole": {moved(p) for p in APPROVAL if INBOX not in p} | keys,
        "ApprovalSweepRole": {moved(p) for p in SWEEP} | keys,
    }


def entry_points_that_resume() -> set[str]:
    """Handlers of the functions whose code completes callbacks: read from what they import."""
    wiring = ast.parse((ROOT / "shared/hitl_approval/wiring.py").read_text())
    resuming = {
        made.name
        for made in wiring.body
        if isinstance(made, ast.FunctionDef) and LambdaCallbackClient.__name__ in ast.unparse(made)
    }
    found = set()
    for handler in (ROOT / "lambdas").glob("*/handler.py"):
        imported = ast.walk(ast.parse(handler.read_text()))
        names = {
            a.name for node in imported if isinstance(node, ast.ImportFrom) for a in node.names
        }
        if names & resuming:
            found.add(f"{handler.parent.name}.handler.handler")
    return found


def test_should_let_whoever_decides_resume_whoever_requests_and_nobody_else() -> None:
    stack = any_stack()
    page = ApprovalPage(sign_in=HttpIamAuthorizer())
    approvals = HitlApproval(stack, "Approval", page=page)
    for name in ("Refund", "Release"):
        approvals.attach(durable(stack, name))

    resources = template(stack)["Resources"]
    functions = of_type(resources, "AWS::Lambda::Function")
    requesting = {
        f"{text({'Ref': n})[:-1]}.Arn>:*" for n, f in functions.items() if "DurableConfig" in f
    }
    deciding = {
        text({"Ref": function["Role"]["Fn::GetAtt"][0]}).strip("<>")
        for function in functions.values()
        if function["Handler"] in entry_points_that_resume()
    }
    allowed = permissions(resources)
    resumes = {
        role: {resource for action, resource in rights if "DurableExecutionCallback" in action}
        for role, rights in allowed.items()
    }
    assert requesting == {EXECUTIONS, "<Refund.Arn>:*", "<Release.Arn>:*"}
    assert len(deciding) == 4
    replacing = {  # of its own requests that another replaces
        "ApprovalWorkflowRole": {EXECUTIONS},
        "ApprovalRequestRole": requesting - {EXECUTIONS},
    }
    assert {role: reached for role, reached in resumes.items() if reached} == {
        **dict.fromkeys(deciding, requesting),
        **replacing,
    }


def test_should_never_let_anyone_change_or_delete_what_is_on_record(
    any_resources: Resources,
) -> None:
    for allowed in permissions(any_resources).values():
        for action, resource in allowed:
            assert "*" not in action
            archived = resource == "<ApprovalArchiveBucket.Arn>/<ApprovalTable>/*"
            assert resource.removesuffix(":*").count("*") == archived
            assert not archived or action in {"s3:GetObject", "s3:PutObject"}
            assert "Delete" not in action or action == "sqs:DeleteMessage"
            assert "Scan" not in action
            if "udit" in resource:
                reading = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
                assert action.removeprefix("dynamodb:") in {"PutItem", "Query", *reading}


def test_should_keep_two_deployments_in_one_stack_apart(templates: dict[str, Any]) -> None:
    found = permissions(templates["embedded_twice"]["Resources"])
    for prefix, other in (("Payments", "Releases"), ("Releases", "Payments")):
        roles = {role for role in found if role.startswith(prefix)}
        assert roles == {f"{prefix}{name}Role" for name in FUNCTIONS}
        for role in roles:
            assert found[role]
            assert not any(other in resource for _, resource in found[role])


def test_should_grant_asking_and_deciding_and_no_more(templates: dict[str, Any]) -> None:
    found = permissions(templates["embedded_twice"]["Resources"])
    assert found["Requester"] == {("lambda:InvokeFunction", "<PaymentsLiveAlias>")}
    assert {action for action, _ in found["Decider"]} == {"lambda:InvokeFunction"}
    for _, resource in found["Decider"]:
        assert resource.startswith("<PaymentsApprovalFunction.Arn>")
        assert "*" not in resource


def test_should_only_let_lambda_take_the_roles() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    for resource in template(stack)["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            [statement] = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_should_let_only_the_alias_wait_for_the_functions_own_policy(default: Resources) -> None:
    function = next(n for n in default if n.startswith("ApprovalWorkflowFunction"))
    own = next(n for n in default if n.startswith("ApprovalWorkflowOwnPolicy"))
    assert function in str(default[own])
    waiting = {r["Type"] for n, r in default.items() if n != own and own in str(r)}
    assert waiting == {"AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig"}


class TestSigning:
    def signing_key(self, stack: Stack) -> kms.Key:
        return kms.Key(
            stack,
            "Signing",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
        )

    def test_should_let_who_writes_the_audit_sign_it_and_who_reads_it_verify(self) -> None:
        stack = any_stack()
        approvals = HitlApproval(stack, "Approval", signing_key=self.signing_key(stack))
        approvals.grant_read_audit(iam.User(stack, "Auditor"))
        found = permissions(template(stack)["Resources"])
        uses = {
            role: {action for action, resource in allowed if resource == "<Signing.Arn>"}
            for role, allowed in found.items()
        }
        assert uses == {
            "ApprovalWorkflowRole": {"kms:Sign", "kms:Verify"},
            "ApprovalRequestRole": {"kms:Sign", "kms:Verify"},
            "ApprovalApprovalRole": {"kms:Sign", "kms:Verify"},
            "ApprovalSweepRole": {"kms:Sign"},
            "ApprovalPublisherRole": set(),
            "Auditor": {"kms:Verify"},
        }
        functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function")
        for function in functions.values():
            variables = function["Environment"]["Variables"]
            assert text(variables["SIGNING_KEY_ARN"]) == "<Signing.Arn>"

    def test_should_refuse_a_key_that_cannot_sign(self) -> None:
        stack = any_stack()
        with pytest.raises(ValueError, match="signing_key must be a key that signs, got SYMM"):
            HitlApproval(stack, "Approval", signing_key=kms.Key(stack, "Key"))
