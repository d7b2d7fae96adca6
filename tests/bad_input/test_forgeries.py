"""Somebody with exactly the role of an attached function tries to decide, forge and erase.

The role is the synthesized one; what it does not allow is refused, as IAM would. What it allows is
done: rows in DynamoDB, messages to the request function. Afterwards the victim's approval stands as
it did, and its trail verifies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import boto3
import pytest
from aws_cdk import aws_kms as kms
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.request_function import answer
from hitl_approval.testing import in_memory
from hitl_approval.usecases.ask import Defaults, DirectRequests
from hitl_approval.usecases.decide import DecisionService
from hitl_approval_cdk import ApprovalPage, HitlApproval
from tests.anything import declared
from tests.asking import submit
from tests.contract.test_store import create_tables
from tests.infra.synth import any_stack, durable, permissions, template

FUNCTION: Final = "arn:aws:lambda:us-east-1:123456789012:function"
VICTIM: Final = RequestKey(f"{FUNCTION}:payout:1/durable-execution/a/b", "payout")
TABLES: Final = {"approvals": "<ApprovalTable.Arn>", "audit": "<ApprovalAuditTable.Arn>"}


@pytest.fixture(scope="module")
def allowed() -> set[tuple[str, str]]:
    """What the role of the attached function `Refund` may do, action and resource."""
    stack = any_stack()
    key = kms.Key(
        stack, "Signing", key_spec=kms.KeySpec.ECC_NIST_P256, key_usage=kms.KeyUsage.SIGN_VERIFY
    )
    approvals = HitlApproval(stack, "Approval", page=ApprovalPage(), signing_key=key)
    for name in ("Refund", "Payout"):
        approvals.attach(durable(stack, name))
    return permissions(template(stack)["Resources"])["RefundRole"]


class Refused(Exception):  # noqa: N818  reads as what happened
    """IAM would refuse this call."""


@dataclass
class Thief:
    """Whoever has taken the role over, with the library, its source and all names at hand.

    Attributes:
        allowed: what the role may do.
        requests: what the request function answers by.
        dynamodb: a client, whose calls are let through as far as the role allows them.
    """

    allowed: set[tuple[str, str]]
    requests: Callable[[], DirectRequests]
    dynamodb: Any

    def check(self, action: str, resource: str) -> None:
        """Refuse what the role does not allow."""
        if (action, resource) not in self.allowed:
            raise Refused(f"{action} on {resource}")

    def write(self, operation: str, table: str, **values: Any) -> None:
        """A call of DynamoDB that writes one item."""
        self.check(f"dynamodb:{operation}", TABLES[table])
        name = {"PutItem": "put_item", "UpdateItem": "update_item", "DeleteItem": "delete_item"}
        getattr(self.dynamodb, name[operation])(TableName=table, **values)

    def ask(self, alias: str, **message: Any) -> Any:
        """Invoke the request function by an alias, or by itself."""
        resource = f"<ApprovalRequestFunction.Arn>{alias and f':<{alias}>'}"
        self.check("lambda:InvokeFunction", resource)
        invoked = f"{FUNCTION}:approvals-request{alias and f':{alias.lower()}'}"
        said = answer({"protocol": 1, **message}, invoked, self.requests())
        if "error" in said:
            raise Refused(said["error"]["message"])
        return said["answer"]


@dataclass
class Scene:
    """A victim's approval, and the thief."""

    store: DynamoDbStore
    thief: Thief
    decisions: DecisionService

    def victim(self) -> Approval:
        found = self.store.get(VICTIM.approval_id)
        assert found is not None
        return found


@pytest.fixture
def scene(allowed: set[tuple[str, str]]) -> Iterator[Scene]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client)
        world = in_memory()
        store = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
        service = replace(world.requests, store=store)
        submit(
            DirectRequests(service, Defaults()),
            VICTIM,
            approvers=["bob", "cid"],
            context={"amount": 7},
            creation_token="secret-of-the-victim",
            callback_id="callback-of-the-victim",
        )
        thief = Thief(allowed, lambda: DirectRequests(service, Defaults()), client)
        yield Scene(store, thief, replace(world.decisions, store=store))


KEY = {"Key": marshal({"approval_id": VICTIM.approval_id})}
FLIP = {
    **KEY,
    "UpdateExpression": "SET #s = :approved",
    "ExpressionAttributeNames": {"#s": "status"},
    "ExpressionAttributeValues": marshal({":approved": "approved"}),
}
MINE: Final = VICTIM.execution_arn.replace(":payout:", ":refund:")
SUBMIT: Final[Mapping[str, Any]] = {
    "operation": "submit",
    "key": VICTIM.key,
    "request": {"subject": "Harmless", "requester": "thief", "approvers": ["thief's friend"]},
    "timeout_seconds": 60,
    "creation_token": "secret-of-the-victim",
    "callback_id": None,
}


def forged_event(scene: Scene) -> dict[str, Any]:
    """The last event of the victim's trail, turned into an approval."""
    return {**scene.store.history(VICTIM.approval_id)[-1], "event": "approved", "actor": "bob"}


FORGERIES: Mapping[str, Callable[[Scene], Any]] = {
    "set the row's status": lambda scene: scene.thief.write("UpdateItem", "approvals", **FLIP),
    "put another row in its place": lambda scene: scene.thief.write(
        "PutItem", "approvals", Item=marshal({"approval_id": VICTIM.approval_id})
    ),
    "remove the row": lambda scene: scene.thief.write("DeleteItem", "approvals", **KEY),
    "replace the last event": lambda scene: scene.thief.write(
        "PutItem", "audit", Item=marshal(forged_event(scene))
    ),
    "add an event": lambda scene: scene.thief.write(
        "PutItem", "audit", Item=marshal({**forged_event(scene), "sequence": 2})
    ),
    "sign an event of its own": lambda scene: scene.thief.check("kms:Sign", "<Signing.Arn>"),
    "decide through the approval function": lambda scene: scene.thief.check(
        "lambda:InvokeFunction", "<ApprovalApprovalFunction.Arn>"
    ),
    "decide through the page's function": lambda scene: scene.thief.check(
        "lambda:InvokeFunction", "<ApprovalPageFunction.Arn>"
    ),
    "publish a mail of its own": lambda scene: scene.thief.check("sns:Publish", "<ApprovalTopic>"),
    "send a link of its own": lambda scene: scene.thief.check(
        "sns:Publish", "<ApprovalPagePersonalTopic>"
    ),
    "complete the victim's callback": lambda scene: scene.thief.check(
        "lambda:SendDurableExecutionCallbackSuccess", "<Payout.Arn>:*"
    ),
    "ask by the victim's alias": lambda scene: scene.thief.ask(
        "Payout", **SUBMIT, execution_arn=VICTIM.execution_arn
    ),
    "ask without an alias": lambda scene: scene.thief.ask(
        "", **SUBMIT, execution_arn=VICTIM.execution_arn
    ),
    "ask for the victim's execution": lambda scene: scene.thief.ask(
        "Refund", **SUBMIT, execution_arn=VICTIM.execution_arn
    ),
    "withdraw by the victim's execution": lambda scene: scene.thief.ask(
        "Refund",
        operation="withdraw",
        approval=VICTIM.key,
        reason="",
        execution_arn=VICTIM.execution_arn,
    ),
    "withdraw by the victim's id": lambda scene: scene.thief.ask(
        "Refund",
        operation="withdraw",
        approval=VICTIM.approval_id,
        reason="",
        execution_arn=MINE,
    ),
    "steal the victim's callback": lambda scene: scene.thief.ask(
        "Refund",
        operation="register_callback",
        key=VICTIM.key,
        callback_id="thief",
        execution_arn=VICTIM.execution_arn,
    ),
    "decide by an operation": lambda scene: scene.thief.ask(
        "Refund", operation="decide", key=VICTIM.key, decision="approved", execution_arn=MINE
    ),
    "ask with a decision in it": lambda scene: scene.thief.ask(
        "Refund",
        **{**SUBMIT, "request": {**SUBMIT["request"], "status": "approved"}},
        execution_arn=MINE,
    ),
}


@pytest.mark.parametrize("forgery", list(FORGERIES))
@pytest.mark.parametrize("decided", [False, True], ids=["pending", "rejected"])
def test_should_refuse_what_would_change_somebody_elses_approval(
    scene: Scene, forgery: str, decided: bool
) -> None:
    if decided:
        scene.decisions.decide(VICTIM.approval_id, declared("bob"), "rejected", "no")
    before = scene.victim()

    with pytest.raises(Refused):
        FORGERIES[forgery](scene)

    assert scene.victim() == before
    assert examine(scene.store.history(VICTIM.approval_id), before) == []


def test_should_let_it_do_what_it_is_for(scene: Scene) -> None:
    """Else every refusal above would prove nothing."""
    asked = scene.thief.ask("Refund", **SUBMIT, execution_arn=MINE)
    assert asked["status"] == "pending"
    assert asked["approval_id"] != VICTIM.approval_id
    stands = scene.thief.ask(
        "Refund", operation="withdraw", approval=VICTIM.key, reason="", execution_arn=MINE
    )
    assert stands == "cancelled"
    assert scene.victim().pending


@pytest.mark.parametrize("forgery", ["set the row's status", "replace the last event"])
def test_should_name_what_somebody_with_more_rights_has_forged(scene: Scene, forgery: str) -> None:
    """The forgeries are real: with the right to them, they change the record, and are seen."""
    scene.thief.allowed = scene.thief.allowed | {
        ("dynamodb:UpdateItem", TABLES["approvals"]),
        ("dynamodb:PutItem", TABLES["audit"]),
    }
    scene.decisions.decide(VICTIM.approval_id, declared("bob"), "rejected", "no")

    FORGERIES[forgery](scene)

    findings = examine(scene.store.history(VICTIM.approval_id), scene.victim())
    assert findings


def test_should_bring_nothing_of_the_record_that_it_may_not_know(scene: Scene) -> None:
    """An asker sees its own outcome: no tokens, no callbacks, no other people's requests."""
    asked = scene.thief.ask("Refund", **SUBMIT, execution_arn=MINE)
    said = json.dumps(asked)
    assert "secret" not in said
    assert "callback" not in said
