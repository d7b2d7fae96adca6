"""One key for all that is stored, and everybody who needs it may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from hitl_approval.contract import Handler
from hitl_approval_cdk import ApprovalPage, HitlApproval
from tests.infra.synth import (
    any_app,
    any_stack,
    functions,
    of_type,
    permissions,
    said,
    template,
    text,
)

STORED: dict[str, Callable[[Any], Any]] = {
    "AWS::DynamoDB::Table": lambda found: found["SSESpecification"]["KMSMasterKeyId"],
    "AWS::SNS::Topic": lambda found: found["KmsMasterKeyId"],
    "AWS::SQS::Queue": lambda found: found["KmsMasterKeyId"],
    "AWS::Logs::LogGroup": lambda found: found["KmsKeyId"],
    "AWS::Lambda::Function": lambda found: found["KmsKeyArn"],
}
"""Where each type that can hold something of a request says its key."""


def encrypted(**options: Any) -> dict[str, Any]:
    stack = any_stack()
    key = kms.Key(stack, "Key")
    HitlApproval(stack, "Approval", page=ApprovalPage(), encryption_key=key, **options)
    found: dict[str, Any] = template(stack)["Resources"]
    return found


def test_should_encrypt_all_that_is_stored_by_the_one_key() -> None:
    resources = encrypted()
    for kind, key in STORED.items():
        found = of_type(resources, kind)
        assert found
        for name, properties in found.items():
            assert text(key(properties)) == "<Key.Arn>", name
    durable = functions(resources)[Handler.WORKFLOW]["DurableConfig"]
    assert text(durable["KMSKeyArn"]) == "<Key.Arn>"


def test_should_let_each_function_use_it_even_with_tables_of_another_key() -> None:
    stack = any_stack()
    key = kms.Key(stack, "Key")
    ours = HitlApproval(stack, "Ours")
    HitlApproval(
        stack, "Approval", table=ours.table, audit_table=ours.audit_table, encryption_key=key
    )
    allowed = permissions(template(stack)["Resources"])
    for role in ("ApprovalWorkflowRole", "ApprovalApprovalRole", "ApprovalSweepRole"):
        uses = {action for action, resource in allowed[role] if resource == "<Key.Arn>"}
        assert uses == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_should_let_the_logs_of_this_account_use_it_and_no_others() -> None:
    [key] = of_type(encrypted(), "AWS::KMS::Key").values()
    [statement] = [
        each for each in key["KeyPolicy"]["Statement"] if "logs" in str(each["Principal"])
    ]
    assert text(statement["Principal"]["Service"]) == "logs.<AWS::Region>.amazonaws.com"
    assert not any("*" in action for action in statement["Action"])
    context = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert text(context) == "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:*"


def test_should_make_no_circle_of_a_key_of_another_stack() -> None:
    app = any_app()
    keys, stack = Stack(app, "Keys"), Stack(app, "Embedding")
    HitlApproval(stack, "Approval", page=ApprovalPage(), encryption_key=kms.Key(keys, "Key"))
    template(stack)
    assert stack.dependencies == [keys]


def test_should_warn_of_a_key_whose_policy_nobody_here_makes() -> None:
    stack = any_stack()
    arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    key = kms.Key.from_key_arn(stack, "Theirs", arn)
    HitlApproval(stack, "Approval", notify_emails=["ann@example.com"], encryption_key=key)
    [(path, text_)] = said(stack)
    assert path == "Embedding/Approval"
    assert "encryption_key Embedding/Theirs is not made in this app: it must allow logs." in text_
