"""What a wait asks of its deployment is the same directly and through the request function."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Vote
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import ApprovalNotFound, InvalidRequest, RecordAltered, Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.ports.requests import Requests
from hitl_approval.testing import World, in_memory
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.anything import declared
from tests.asking import EXECUTION, RequestFunction, submit

HOUR = timedelta(hours=1)
KEY = RequestKey(EXECUTION, "refund")
DEFAULTS = Defaults(
    approvers=("ann", "ops"),
    groups={"ops": ("bob", "cid")},
    policy=Policy(require_comment_on_rejection=True),
    page=True,
)


@pytest.fixture
def world() -> World:
    return in_memory()


@pytest.fixture(params=["directly", "through the function"])
def requests(request: pytest.FixtureRequest, world: World) -> Requests:
    if request.param == "directly":
        return DirectRequests(world.requests, DEFAULTS)
    return RequestFunction(lambda: DirectRequests(world.requests, DEFAULTS)).client()


def test_should_write_what_was_asked_with_the_deployments_defaults(
    requests: Requests, world: World
) -> None:
    snapshot = submit(requests, KEY, context={"amount": 7, "to": "Zoë"}, document_id="doc-1")

    written = world.store.approvals[KEY.approval_id]
    assert written.approvers == ("ann", "bob", "cid")
    assert written.policy == DEFAULTS.policy
    assert written.execution_arn == EXECUTION
    assert (written.creation_token, written.callback_id) == ("token-1", "callback-1")
    assert json.loads(written.context) == {"amount": 7, "to": "Zoë"}
    assert (written.document_id, written.requester) == ("doc-1", "rita")
    assert written.reminders == (timedelta(minutes=30), timedelta(minutes=54))
    assert snapshot["status"] == "pending"
    assert snapshot["expires_at"] == isoformat(world.clock.now() + HOUR)


def test_should_write_what_the_request_says_itself(requests: Requests, world: World) -> None:
    submit(
        requests,
        KEY,
        approvers=["Ann", "leads"],
        quorum=Quorum.at_least(2),
        reminders=[timedelta(minutes=10)],
        timeout=timedelta(minutes=20),
        members={"Ann": None, "leads": ["bob", "cid"]},
        callback_id=None,
    )
    written = world.store.approvals[KEY.approval_id]
    assert written.approvers == ("Ann", "bob", "cid")
    assert written.policy.quorum == Quorum.at_least(2)
    assert written.reminders == (timedelta(minutes=10),)
    assert written.callback_id is None


def test_should_ask_nobody_whom_the_deployment_does_not_name(
    requests: Requests, world: World
) -> None:
    with pytest.raises(InvalidRequest, match=r"^approvers: names 'eve', whom this deployment does"):
        submit(requests, KEY, approvers=["ann", "eve"])
    with pytest.raises(InvalidRequest, match=r"^approvers: names 'eve'"):
        submit(requests, KEY, approvers=["ann"], members={"ann": ["eve"]})
    assert not world.store.approvals


def test_should_create_once_for_each_token(requests: Requests, world: World) -> None:
    first = submit(requests, KEY)
    assert submit(requests, KEY) == first
    with pytest.raises(InvalidRequest, match=r"^name: is used twice"):
        submit(requests, KEY, creation_token="token-2")
    assert len(world.store.history(KEY.approval_id)) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"approvers": ["ann"], "requester": "ann"},
            "^approvers: name only the requester, who cannot decide$",
        ),
        ({"quorum": Quorum.at_least(9)}, "^approvers: quorum needs 9 approvals but 3 approvers"),
        ({"members": {"ann": [], "ops": None}}, "^approvers: names the group 'ann', which has no"),
        ({"members": {"ann": "bob"}}, "^approvers: must be a list of names, got a string"),
        ({"reminders": [HOUR]}, "^reminders: must come before the time to decide is over"),
    ],
    ids=["requester", "quorum", "empty group", "bare string", "late reminder"],
)
def test_should_refuse_what_the_deployment_cannot_hold(
    requests: Requests, world: World, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        submit(requests, KEY, **fields)
    assert not world.store.approvals


def test_should_publish_the_request(requests: Requests, world: World) -> None:
    submit(requests, KEY)
    requests.notify(KEY)
    assert [sent.approval_id for sent in world.notifier.sent] == [KEY.approval_id]


def test_should_say_that_it_could_not_be_published(
    requests: Requests, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise Unavailable("SNS did not take the call now: try again")

    submit(requests, KEY)
    monkeypatch.setattr(type(world.notifier), "publish", lambda _, notification: refused(_))
    with pytest.raises(Unavailable, match=r"^SNS did not take the call now: try again$"):
        requests.notify(KEY)
    requests.note_notification_failed(KEY, "everybody: refused")
    assert [e["event"] for e in world.store.history(KEY.approval_id)] == [
        "requested",
        "notification_failed",
    ]


def test_should_bring_the_outcome_and_note_that_it_was_read(
    requests: Requests, world: World
) -> None:
    submit(requests, KEY)
    assert requests.register_callback(KEY, "c/2=")["status"] == "pending"
    world.decisions.decide(KEY.approval_id, declared("bob"), "approved", "fine")

    snapshot = requests.check_status(KEY)

    assert world.callbacks.completed == ["c/2="]
    assert (snapshot["status"], snapshot["decided_by"]) == ("approved", "bob")
    assert snapshot["votes"] == [
        {
            "approver": "bob",
            "identity": "declared",
            "decision": "approved",
            "comments": "fine",
            "at": isoformat(world.clock.now()),
        }
    ]
    assert world.store.approvals[KEY.approval_id].resumed


def test_should_close_what_has_expired(requests: Requests, world: World) -> None:
    submit(requests, KEY)
    world.clock.advance(HOUR)
    assert requests.check_status(KEY)["status"] == "timeout"


def test_should_bring_the_context_that_stands_on_record(requests: Requests) -> None:
    submit(requests, KEY, context={"amount": 7})
    assert requests.read_context(KEY) == '{"amount": 7}'


def test_should_close_a_start_that_failed(requests: Requests, world: World) -> None:
    submit(requests, KEY)
    requests.abandon(KEY, "another token")
    assert world.store.approvals[KEY.approval_id].pending
    requests.abandon(KEY, "token-1")
    requests.abandon(RequestKey(EXECUTION, "never asked"), "token-1")
    assert world.store.approvals[KEY.approval_id].status == "cancelled"


@pytest.mark.parametrize("approval", [KEY.key, KEY.approval_id], ids=["name", "id"])
def test_should_withdraw_by_name_and_by_id(requests: Requests, world: World, approval: str) -> None:
    submit(requests, KEY)
    assert requests.withdraw(EXECUTION, approval, "moot") == "cancelled"
    assert requests.withdraw(EXECUTION, "never asked", "") is None
    assert world.store.approvals[KEY.approval_id].comments == "moot"


def test_should_not_withdraw_what_another_execution_has_asked(
    requests: Requests, world: World
) -> None:
    other = RequestKey(EXECUTION.replace("/a/b", "/c/d"), "refund")
    submit(requests, other)
    with pytest.raises(InvalidRequest, match=r"^approval: is another execution's"):
        requests.withdraw(EXECUTION, other.approval_id, "")
    assert world.store.approvals[other.approval_id].pending


def test_should_not_act_on_an_end_that_the_trail_does_not_have(
    requests: Requests, world: World
) -> None:
    submit(requests, KEY)
    world.decisions.decide(KEY.approval_id, declared("bob"), "rejected", "no")
    row = world.store.approvals[KEY.approval_id]
    forged = Vote("bob", "declared", "approved", "no", row.votes[0].at)
    world.store.approvals[KEY.approval_id] = replace(row, status="approved", votes=(forged,))
    with pytest.raises(RecordAltered, match="status, votes") as refused:
        requests.check_status(KEY)
    assert refused.value.details["fields"] == ["status", "votes"]


@pytest.mark.parametrize("operation", ["check_status", "read_context"])
def test_should_say_that_nothing_was_asked(requests: Requests, operation: str) -> None:
    with pytest.raises(ApprovalNotFound) as refused:
        getattr(requests, operation)(KEY)
    assert refused.value.details == {"approval_id": KEY.approval_id}
