"""The approval function's answers: good payloads, bad ones, and both ways of calling it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
from tests.anything import any_opening, any_request
from tests.unit.http.by_function import ANN, call, code, decide, jwt, pending, snapshot


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_take_the_public_patterns_payload(world: World, decision: str) -> None:
    approval_id = pending(world)

    status, body = call(world, decide(approval_id, decision=decision))

    assert status == 200
    assert body["approval_id"] == approval_id
    assert (body["status"], body["decision"]) == (decision, decision)
    assert body["decided_by"] == "test-approver"
    assert body["comments"] == "Looks good, approved"
    assert body["already"] is False
    assert body["workflow"] == "resumed"
    assert world.callbacks.completed == ["callback-1"]


@pytest.mark.parametrize(
    ("callback", "completed", "workflow"),
    [("b", "resumed", "resumed"), ("b", "already_running", "already_running"),
     ("b", "delayed", "delayed"), (None, "resumed", "polling")],
)  # fmt: skip
def test_should_say_how_the_workflow_resumes(
    world: World, callback: str | None, completed: Any, workflow: str
) -> None:
    approval_id = pending(world, callback_id=callback)
    world.callbacks.answer = completed
    status, body = call(world, decide(approval_id))
    assert (status, body["status"], body["workflow"]) == (200, "approved", workflow)
    assert world.meter.counted == (["ResumeFailed"] if completed == "delayed" else [])


ENDS = [("decide", {"decision": "approved", "approver": "bob"}), ("cancel", {"approver": "rita"})]


@pytest.mark.parametrize(("action", "fields"), ENDS)
@pytest.mark.parametrize("callback", ["b", None])
def test_should_say_that_the_workflow_has_ended(
    world: World, action: str, fields: dict[str, str], callback: str | None
) -> None:
    approval_id = pending(world, callback_id=callback)
    world.callbacks.answer = "already_running"
    world.executions.ended.add(world.store.approvals[approval_id].execution_arn)
    event = {"action": action, "approval_id": approval_id, **fields}
    for _ in range(2):
        status, body = call(world, event)
        assert (status, body["workflow"]) == (200, "ended")
    assert call(world, {"action": "resume", "approval_id": approval_id})[1]["workflow"] == "ended"


@pytest.mark.parametrize("callback", ["b", None])
def test_should_not_say_ended_of_a_workflow_that_has_read_the_decision(
    world: World, monkeypatch: pytest.MonkeyPatch, callback: str | None
) -> None:
    """Before the decision is answered, its check comes and it ends well."""
    approval_id = pending(world, callback_id=callback)
    world.callbacks.answer = "already_running"

    def reads_and_ends(*_: Any) -> str:
        world.requests.check_status(approval_id)
        return "ended"

    monkeypatch.setattr(type(world.executions), "check_status", reads_and_ends)
    expected = "already_running" if callback else "polling"
    for _ in range(2):
        assert call(world, decide(approval_id))[1]["workflow"] == expected


def test_should_answer_as_before_where_nobody_says_whether_the_workflow_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = pending(world, callback_id=None)

    def refuses(*_: Any) -> str:
        raise Unavailable("Lambda did not take the call now", reason="AccessDeniedException")

    monkeypatch.setattr(type(world.executions), "check_status", refuses)
    status, body = call(world, decide(approval_id))
    assert (status, body["status"], body["workflow"]) == (200, "approved", "polling")


@pytest.mark.parametrize("answer", ["resumed", "delayed"])
def test_should_not_ask_about_a_workflow_whose_callback_was_open(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    approval_id = pending(world, callback_id="b")
    world.callbacks.answer = answer
    monkeypatch.delattr(type(world.executions), "check_status")
    assert call(world, decide(approval_id))[1]["workflow"] == answer


@pytest.mark.parametrize("action", ["decide", "cancel"])
def test_should_let_nobody_act_under_the_systems_own_name(world: World, action: str) -> None:
    event = {**decide(pending(world)), "action": action, "approver": "Hitl-Approval"}
    if action == "cancel":
        del event["decision"]
    status, body = call(world, event)
    assert (status, body["error"]["code"]) == (400, "INVALID_REQUEST")
    assert "the name of the system itself" in body["error"]["message"]


def test_should_take_decided_by_and_no_action(world: World) -> None:
    approval_id = pending(world)
    event = decide(approval_id, decided_by="dora")
    del event["action"], event["approver"]

    assert call(world, event)[1]["decided_by"] == "dora"


def test_should_answer_200_and_resume_again_when_the_same_person_repeats_a_decision(
    world: World,
) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id))
    status, body = call(world, decide(approval_id, comments="again", approver="TEST-approver"))

    assert (status, body["already"], body["comments"]) == (200, True, "Looks good, approved")
    assert world.callbacks.completed == ["callback-1", "callback-1"]
    assert len(world.store.history(approval_id)) == 2


@pytest.mark.parametrize(
    "second",
    [{"decision": "rejected"}, {"approver": "other"}, {"decision": "rejected", "approver": "x"}],
)
def test_should_tell_the_second_decider_who_won(world: World, second: dict[str, Any]) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id))
    before = snapshot(world)

    status, body = call(world, decide(approval_id, **second))

    assert (status, code(body)) == (409, "APPROVAL_ALREADY_DECIDED")
    assert body["error"]["details"]["decided_by"] == "test-approver"
    assert body["error"]["details"]["status"] == "approved"
    assert body["error"]["details"]["decided_at"]
    assert snapshot(world) == before


def test_should_refuse_a_decision_on_content_that_was_not_shown(world: World) -> None:
    approval_id = pending(world)
    shown = world.store.approvals[approval_id].content_digest

    status, body = call(world, decide(approval_id, content_digest="0" * 64))

    assert (status, code(body)) == (409, "APPROVAL_CHANGED")
    assert call(world, decide(approval_id, content_digest=shown))[0] == 200


def test_should_resume_again_for_what_has_ended_and_write_nothing(world: World) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id))
    before = snapshot(world)
    status, body = call(world, {"action": "resume", "approval_id": approval_id})
    assert (status, body["workflow"], body["already"]) == (200, "resumed", True)
    assert world.callbacks.completed == ["callback-1", "callback-1"]
    assert snapshot(world) == before


def test_should_wait_for_the_quorum_and_count_people_not_votes(world: World) -> None:
    approval_id = pending(
        world,
        request=any_request(approvers=["alice", "bob", "carol"]),
        policy=Policy(quorum=Quorum.at_least(2)),
    )
    _, first = call(world, decide(approval_id, approver="alice"))
    _, again = call(world, decide(approval_id, approver="ALICE"))
    status, changed_mind = call(world, decide(approval_id, approver="alice", decision="rejected"))
    _, second = call(world, decide(approval_id, approver="bob"))

    assert (first["status"], first["workflow"]) == ("pending", "waiting")
    assert (again["status"], again["already"]) == ("pending", True)
    assert (status, code(changed_mind)) == (409, "APPROVAL_ALREADY_DECIDED")
    assert second["status"] == "approved"
    assert [vote["approver"] for vote in second["votes"]] == ["alice", "bob"]


def test_should_let_one_rejection_veto(world: World) -> None:
    approval_id = pending(world, policy=Policy(quorum=Quorum.at_least(2)))
    call(world, decide(approval_id, approver="alice"))
    assert (
        call(world, decide(approval_id, approver="bob", decision="rejected"))[1]["status"]
        == "rejected"
    )


def test_should_ask_everyone_but_the_requester(world: World) -> None:
    approval_id = pending(
        world,
        request=any_request(approvers=["ann", "rita"], requester="rita"),
        policy=Policy(quorum=Quorum.everyone()),
    )
    assert call(world, decide(approval_id, approver="ann"))[1]["status"] == "approved"


def test_should_cancel_a_pending_request_once(world: World) -> None:
    approval_id = pending(world)
    event = {"action": "cancel", "approval_id": approval_id, "approver": "rita", "comments": "moot"}

    assert call(world, event)[1]["status"] == "cancelled"
    assert call(world, event)[1]["already"] is True
    assert call(world, decide(approval_id))[0] == 409
    assert [e["event"] for e in world.store.history(approval_id)] == ["requested", "cancelled"]


def test_should_show_an_approval_without_its_callback(world: World) -> None:
    approval_id = pending(world, request=any_request(context={"amount": 5}, document_id="doc-1"))

    status, body = call(world, {"action": "get", "approval_id": approval_id})

    assert status == 200
    assert body["context"] == {"amount": 5}
    assert body["document_id"] == "doc-1"
    assert "callback-1" not in json.dumps(body)
    assert "token-1" not in json.dumps(body)


def test_should_show_the_history(world: World) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id))
    status, body = call(world, {"action": "history", "approval_id": approval_id})
    assert status == 200
    assert [event["event"] for event in body["events"]] == ["requested", "approved"]
    assert (body["verified"], body["findings"]) == (True, [])
    assert call(world, {"action": "history", "approval_id": "none"})[0] == 404


def test_should_name_the_event_that_was_tampered_with(world: World) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id, approver="ann"))
    trail = world.store.audit[approval_id]
    trail[1] = {**trail[1], "actor": "bob"}

    _, body = call(world, {"action": "history", "approval_id": approval_id})

    assert body["verified"] is False
    assert body["findings"][0] == {
        "sequence": 2,
        "problem": "has been changed since it was written",
    }


def test_should_name_an_event_that_was_appended(world: World) -> None:
    approval_id = pending(world)
    world.store.audit[approval_id].append(dict(world.store.audit[approval_id][0]))
    _, body = call(world, {"action": "history", "approval_id": approval_id})
    assert body["verified"] is False


def test_should_not_take_an_event_written_meanwhile_for_tampering(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = pending(world)
    history = type(world.store).history
    read: list[str] = []

    def written_meanwhile(store: Any, wanted: str) -> Any:
        if not read:
            call(world, decide(approval_id))
        read.append(wanted)
        return history(store, wanted)

    monkeypatch.setattr(type(world.store), "history", written_meanwhile)
    _, body = call(world, {"action": "history", "approval_id": approval_id})
    assert (body["verified"], len(body["events"])) == (True, 2)


def test_should_still_show_the_trail_of_a_row_that_has_expired(world: World) -> None:
    approval_id = pending(world)
    call(world, decide(approval_id, approver="ann"))
    del world.store.approvals[approval_id]
    status, body = call(world, {"action": "history", "approval_id": approval_id})
    assert (status, len(body["events"]), body["verified"]) == (200, 2, True)


def test_should_list_what_was_asked_since(world: World) -> None:
    for _ in range(3):
        world.store.create(any_opening(now=world.clock.now()))
        world.clock.advance(timedelta(minutes=1))
    for since, count in [
        ("2026-01-02T03:04:05Z", 3),
        ("2026-01-02T03:05:05", 2),
        ("2026-01-02T04:06:05+01:00", 1),
        (None, 3),
    ]:
        body = call(world, {"action": "list", "since": since})[1]
        assert len(body["approvals"]) == count


def test_should_list_newest_first_in_pages(world: World) -> None:
    ids = []
    for _ in range(5):
        ids.append(pending(world))
        world.clock.advance(timedelta(seconds=1))

    seen, cursor = [], None
    while True:
        event = {"action": "list", "status": "pending", "limit": 2}
        _, page = call(world, event | ({"cursor": cursor} if cursor else {}))
        seen += [item["approval_id"] for item in page["approvals"]]
        cursor = page["cursor"]
        if cursor is None:
            break

    assert seen == list(reversed(ids))
    assert call(world, {"action": "list", "status": "approved"})[1]["approvals"] == []


def test_should_refuse_a_declared_name_s_cancellation_where_identity_is_demanded(
    world: World,
) -> None:
    approval_id = pending(world, policy=Policy(require_verified_identity=True))
    before = snapshot(world)

    status, body = call(world, {"action": "cancel", "approval_id": approval_id, "approver": "rita"})

    assert (status, code(body)) == (403, "FORBIDDEN")
    assert snapshot(world) == before


@pytest.mark.parametrize("demanded", [False, True])
@pytest.mark.parametrize(
    ("approvers", "who", "status"),
    [
        (["bob@x.org", "cid@x.org"], "Rita@x.org", 200),
        (["bob@x.org", "cid@x.org"], "olga@x.org", 200),
        (["bob@x.org", "cid@x.org"], "cid@x.org", 403),  # who can reject
        (["bob@x.org", "cid@x.org"], "eve@x.org", 403),
        (["bob@x.org", "cid@x.org"], "rita\u200b@x.org", 403),
        ([], "eve@x.org", 403),
    ],
)
def test_should_let_only_requesters_and_operators_withdraw(
    world: World, approvers: list[str], who: str, status: int, demanded: bool
) -> None:
    approval_id = pending(
        world,
        request=any_request(requester="rita@x.org", approvers=approvers),
        policy=Policy(require_verified_identity=demanded),
    )
    before = snapshot(world)
    operated = replace(world, decisions=replace(world.decisions, operators=("olga@x.org",)))
    payload = {"action": "cancel", "approval_id": approval_id, "comments": "moot"}
    event = {"requestContext": jwt(**ANN | {"email": who}), "body": json.dumps(payload)}

    answered, body = call(operated, event, trust_authorizer=True)

    assert answered == status
    if status == 200:
        assert body["status"] == "cancelled"
    else:
        assert code(body) == "FORBIDDEN"
        assert snapshot(world) == before


@pytest.mark.parametrize("approvers", [["ann"], []])
def test_should_hold_a_typed_name_to_the_same_rule(world: World, approvers: list[str]) -> None:
    approval_id = pending(world, request=any_request(requester="rita", approvers=approvers))
    event = {"action": "cancel", "approval_id": approval_id}
    for name in ("an operator", "ann"):
        status, body = call(world, event | {"approver": name})
        assert (status, code(body)) == (403, "FORBIDDEN")
        assert "rita or an operator can, and an approver can reject it" in str(body)
    assert call(world, event | {"approver": "Rita"})[1]["status"] == "cancelled"


def test_should_let_nobody_approve_what_they_asked_for(world: World) -> None:
    approval_id = pending(world, request=any_request(requester="Rita"))
    status, body = call(world, decide(approval_id, approver="rita"))
    assert (status, code(body)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("people", "may_name", "others"),
    [(("ann",), False, False), (("ann",), True, True), ((), False, True)],
)
def test_should_say_whom_the_deployment_names(
    world: World, people: tuple[str, ...], may_name: bool, others: bool
) -> None:
    decisions = replace(
        world.decisions, people=people, requests_name_approvers=may_name, groups=("leads",),
        operators=("olga",),
    )  # fmt: skip
    status, body = call(replace(world, decisions=decisions), {"action": "people"})
    assert (status, body) == (
        200,
        {"people": list(people), "groups": ["leads"], "operators": ["olga"], "others": others},
    )
