"""The largest approval that is accepted fits what holds it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain import text
from hitl_approval.domain.edit import MAX_CONTEXT_WITH_VALUES, MAX_EDITED_BYTES
from hitl_approval.domain.files import MAX_FILES
from hitl_approval.domain.form import MAX_INPUT_BYTES
from hitl_approval.domain.form_schema import MAX_FORM_BYTES
from hitl_approval.domain.naming import MAX_APPROVERS
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.outcome import snapshot_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_values import MAX_CONTEXT_BYTES
from hitl_approval.domain.room import LEFT_OUT, MAX_NAMES
from hitl_approval.domain.values import Values
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, declared

WIDEST = "🚀"
"""Four bytes in UTF-8, twelve in ASCII JSON."""
ITEM_LIMIT = 400 * 1024
"""DynamoDB's largest item, names and values (DynamoDB developer guide, Service quotas)."""
OPERATION_LIMIT = 256 * 1024
"""A durable operation's payload."""
MESSAGE_LIMIT = 256 * 1024
"""SNS's largest message."""


def people(count: int = 20) -> list[str]:
    """So many, whose names take all that names may take."""
    longest = (MAX_NAMES // count - len('"0000"')) // len(json.dumps(WIDEST).strip('"'))
    longest = min(longest, text.MAX_PERSON_KEY // len(WIDEST.encode()) - 1)
    return [f"{number:04}{WIDEST * longest}" for number in range(count)]


def largest_request(
    approvers: list[str] | None = None, maximum: int = MAX_CONTEXT_BYTES, **more: Any
) -> ApprovalRequest:
    given = more.pop("context", {})
    padding = maximum - len(json.dumps({"x": "", **given}, ensure_ascii=False).encode())
    return ApprovalRequest(
        subject=WIDEST * text.MAX_LINE,
        document_id=WIDEST * text.MAX_LINE,
        requester=WIDEST * (text.MAX_PERSON_KEY // len(WIDEST.encode())),
        context={"x": "x" * padding, **given},
        **more,
        approvers=approvers or people(),
        files=[
            {"name": f"{number:02}{WIDEST * 30}", "sha256": "a" * 64, "size": 2**53 - 1}
            for number in range(MAX_FILES)
        ],
    )


def size(value: Any) -> int:
    """Bytes of a DynamoDB value, with the overhead of containers."""
    if isinstance(value, dict):
        return 3 + sum(len(name.encode()) + 1 + size(inner) for name, inner in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + size(inner) for inner in value)
    return len(str(value).encode())


def plain(typed: Any) -> Any:
    ((kind, value),) = typed.items()
    if kind == "M":
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if kind == "L" else value


class Recorder:
    """A client that keeps the row as DynamoDB would."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        if put := TransactItems[0].get("Put"):
            self.row = dict(put["Item"])
        else:
            update = TransactItems[0]["Update"]
            values = update["ExpressionAttributeValues"]
            self.row |= {
                name: values[f":{name}"] for name in update["ExpressionAttributeNames"].values()
            }


FILLED = "\u4e2d"
"""Three bytes in UTF-8, six in ASCII JSON: what is filled in is counted in UTF-8."""
OTHER = "\u4e8c"


def largest_form() -> dict[str, Any]:
    """Of as many bytes as a form may have."""
    text = {"type": "string", "description": "d" * 350}
    properties = {"long": {"type": "string"}, **{f"f{n:02}": text for n in range(19)}}
    return {"type": "object", "properties": properties}


def test_should_hold_the_largest_values_with_everyones_longest_comment() -> None:
    client = Recorder()
    store = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
    form = largest_form()
    assert 0.9 * MAX_FORM_BYTES < len(json.dumps(form)) <= MAX_FORM_BYTES
    room = (MAX_INPUT_BYTES - len(json.dumps({"long": ""}))) // len(FILLED.encode())
    edited = (MAX_EDITED_BYTES - len(json.dumps({"a": "", "b": ""}))) // 2 // len(FILLED.encode())
    before, after = FILLED * edited, OTHER * edited
    request = largest_request(
        maximum=MAX_CONTEXT_WITH_VALUES,
        form=form,
        editable=["a", "b"],
        context={"a": before, "b": before},
    )
    approval = store.create(any_opening(request=request, policy=Policy(quorum=Quorum.everyone())))
    for person in people():
        changes = None if approval.changes else {"a": after, "b": after}
        voted = cast_vote(
            approval,
            declared(person),
            "approved",
            WIDEST * text.MAX_COMMENT,
            now=NOW + timedelta(minutes=1),
            content_digest=approval.content_digest,
            values=Values({"long": FILLED * room}, changes),
        )
        assert voted is not None
        store.commit(voted)
        approval = voted.after

    assert approval.status == "approved"
    row = {name: plain(value) for name, value in client.row.items()}
    assert ITEM_LIMIT * 3 / 4 < size(row) < ITEM_LIMIT
    assert len(json.dumps(snapshot_of(approval, now=NOW))) < OPERATION_LIMIT


@pytest.mark.parametrize(
    "names", [people(), people(MAX_APPROVERS), [f"{n:03}" + "x" * 90 for n in range(500)]], ids=len
)
def test_should_hold_the_largest_approval_with_everyones_longest_comment(names: list[str]) -> None:
    client = Recorder()
    store = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
    policy = Policy(quorum=Quorum.everyone())
    approval = store.create(any_opening(request=largest_request(approvers=names), policy=policy))
    for person in names:
        voted = cast_vote(
            approval,
            declared(person),
            "approved",
            WIDEST * text.MAX_COMMENT,
            now=NOW + timedelta(minutes=1),
        )
        assert voted is not None
        assert voted.event.details["comments"] == WIDEST * text.MAX_COMMENT
        store.commit(voted)
        approval = voted.after

    assert approval.status == "approved"
    row = {name: plain(value) for name, value in client.row.items()}
    assert ITEM_LIMIT * 3 / 4 < size(row) < ITEM_LIMIT
    assert len(json.dumps(snapshot_of(approval, now=NOW))) < OPERATION_LIMIT
    assert len(approval_needed(approval).body.encode()) < MESSAGE_LIMIT
    left_out = [vote for vote in approval.votes if vote.comments == LEFT_OUT]
    assert bool(left_out) == (len(names) > 20)
