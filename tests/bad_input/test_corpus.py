"""Every entry point under bad input: the exact refusal, and nothing written, sent or resumed."""

from __future__ import annotations

import importlib
import json
import logging
from pathlib import Path
from typing import Any

import app
import pytest
from aws_cdk import App

from hitl_approval import wiring
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalExpired,
    ApprovalNotFound,
    ContentChanged,
    Forbidden,
    InvalidRequest,
    Unauthenticated,
)
from hitl_approval.durable import wait
from hitl_approval.http.envelope import handle
from hitl_approval.http.errors import MethodNotAllowed
from hitl_approval.settings import settings
from hitl_approval.testing import FixedClock, RecordingCallbackClient, RecordingMeter, World
from hitl_approval.usecases.decide import DecisionService
from hitl_approval_cdk import HitlApproval
from hitl_approval_cli.deployment import Deployment
from tests.bad_input.conftest import NoAws
from tests.bad_input.corpus import ACCEPTED, REFUSED, Case, accepted, refused
from tests.cli.conftest import Hitl
from tests.cli.fake_cloud import FakeCloud
from tests.infra.synth import any_app, any_stack
from tests.workflow.conftest import StageFactory

ACTIONS = ("decide", "get", "list", "inbox", "resume", "history", "cancel", "comment")
STATUS = {
    error.code: error.status
    for error in (
        AlreadyDecided, ApprovalExpired, ApprovalNotFound, ContentChanged, Forbidden,
        InvalidRequest, MethodNotAllowed, Unauthenticated,
    )
}  # fmt: skip
REAL_CLIENT = Deployment.client
LONGEST_LOG_LINE = 1_000
"""Characters; inputs of 3,000 and more must not stand in the log."""


def malformed(case: Case) -> bool:
    """Whether no record is needed to refuse it."""
    return STATUS[case["code"]] in {400, 401, 405} and not case.get("needs_the_record")


def test_should_hold_many_cases_for_every_entry_point_each_named_once() -> None:
    cases = [case for part in (REFUSED, ACCEPTED) for group in part.values() for case in group]
    assert len(cases) >= 80
    assert set(REFUSED) == {"start", *ACTIONS, "cli", "construct", "context", "environment"}
    assert all(REFUSED.values())
    assert len({case["id"] for case in cases}) == len(cases)


@refused("start")
def test_should_refuse_to_start(
    case: Case, make_stage: StageFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage = make_stage()
    stage.start(case["event"])

    error = stage.fail()

    assert (error.type, error.message) == ("hitl_approval.InvalidRequest", case["message"])
    assert stage.operations() == []
    assert (stage.store.approvals, stage.store.audit) == ({}, {})
    assert (stage.notifier.sent, stage.completer.calls) == ([], 0)
    assert_short_log(caplog)


@accepted("start")
def test_should_start_and_tell_the_approvers(case: Case, make_stage: StageFactory) -> None:
    stage = make_stage()
    stage.start(case["event"])
    stage.suspend()

    [message] = stage.notifier.sent
    assert message.subject == case["mail"]
    assert case["body"] in message.body
    assert stage.approval.subject == case["event"]["document_name"]


@refused(*ACTIONS)
def test_should_refuse_an_action(
    case: Case, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = everything(world)
    for event in events(case):
        assert answer(world.decisions, case, event) == (
            STATUS[case["code"]],
            case["code"],
            case["message"],
        )
    assert everything(world) == before
    assert_short_log(caplog)


@refused(*ACTIONS, only=malformed)
def test_should_not_ask_dynamodb_about_malformed_input(case: Case) -> None:
    store = DynamoDbStore(client=NoAws(), approvals_table="a", audit_table="b")
    service = DecisionService(
        store=store,
        clock=FixedClock(),
        meter=RecordingMeter(),
        callbacks=RecordingCallbackClient(),
        inbox=DynamoDbInbox(client=NoAws(), table="c"),
    )
    for event in events(case):
        assert answer(service, case, event)[1:] == (case["code"], case["message"])


@accepted("decide")
def test_should_answer(case: Case, world: World) -> None:
    answer = handle(case["payload"], lambda: world.decisions, trust_authorizer=False)
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert {name: body[name] for name in case["answer"]} == case["answer"]


@refused("cli")
def test_should_refuse_a_command(
    case: Case, hitl: Hitl, cloud: FakeCloud, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.get("unplugged"):
        monkeypatch.setattr(Deployment, "client", REAL_CLIENT)
    before = everything(world)
    argv = case["argv"]
    group = len(argv) > 1 and argv[0] in {"audit", "local", "policy"}
    command, words = argv[: 1 + group], argv[1 + group :]

    result = hitl(*command, *words, stdin=case.get("stdin", ""))

    code = "" if case["code"] == "USAGE" else f" ({case['code']})"
    expected = (case["status"], "", f"hitl: {case['message']}{code}\n")
    assert (result.status, result.out, result.err) == expected
    if command[0] != "local":
        result = hitl(*command, "--json", *words, stdin=case.get("stdin", ""))
        error = json.loads(result.err)["error"]
        assert (result.status, result.out, len(result.err.splitlines())) == (case["status"], "", 1)
        assert (error["code"], error["message"]) == (case["code"], case["message"])
    assert everything(world) == before
    assert cloud.started == []


@refused("construct")
def test_should_refuse_keywords_at_synth(case: Case) -> None:
    with pytest.raises(ValueError, match=r"^[a-z]") as refusal:
        HitlApproval(any_stack(), "Approval", **case["keywords"])
    assert (refusal.type, str(refusal.value)) == (ValueError, case["message"])


@refused("context")
def test_should_end_synth_with_one_line(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    apps: list[App] = []

    def with_context(**_: Any) -> App:
        apps.append(any_app(**case["context"]))
        return apps[0]

    monkeypatch.setattr(app, "App", with_context)
    with pytest.raises(SystemExit) as end:
        app.main()
    assert end.value.code == f"hitl-approval: {case['message']}"
    assert not list(Path(apps[0].outdir).glob("*.template.json"))


@refused("environment")
def test_should_refuse_a_garbled_environment(
    case: Case,
    make_stage: StageFactory,
    no_aws: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = make_stage()
    for name, value in case["environment"].items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    settings.cache_clear()
    handler = importlib.import_module(f"{case['function']}.handler").handler

    if case["function"] == "workflow":
        monkeypatch.setattr(wait, "request_service", wiring.request_service)
        stage.start({"document_id": "doc-1", "document_name": "Q4 Budget", "requester": "rita"})
        error = stage.fail()
        assert (error.type, error.message) == ("RuntimeError", case["message"])
        assert stage.operations() == []
    elif case["function"] == "approval_api":
        answered = handler({"action": "get", "approval_id": "open"}, None)
        assert answered["statusCode"] == 500
        assert json.loads(answered["body"])["error"] == {
            "code": "INTERNAL",
            "message": "something went wrong here; the function's log has the details",
            "details": {},
        }
        [record] = [record for record in caplog.records if record.exc_info]
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == case["message"]
    else:
        with pytest.raises(RuntimeError) as refusal:
            handler({}, None)
        assert str(refusal.value) == case["message"]


def everything(world: World) -> str:
    """All that a call could have written, sent or resumed."""
    return repr((world.store, world.notifier.sent, world.callbacks.completed, world.meter.counted))


def events(case: Case) -> list[Any]:
    """An event as it stands; a payload by direct invoke and as an API's body."""
    if "event" in case:
        return [case["event"]]
    http = {"requestContext": {"http": {"method": "POST"}}, "body": json.dumps(case["payload"])}
    return [case["payload"], http]


def answer(service: DecisionService, case: Case, event: Any) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    reply = handle(event, lambda: service, trust_authorizer=case.get("trust_authorizer", False))
    error = json.loads(reply["body"])["error"]
    assert set(error) == {"code", "message", "details"}
    return reply["statusCode"], error["code"], error["message"]


def assert_short_log(caplog: pytest.LogCaptureFixture) -> None:
    assert max(map(len, caplog.text.splitlines()), default=0) < LONGEST_LOG_LINE
