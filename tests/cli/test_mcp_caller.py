"""Who asks by `hitl mcp`."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalNotFound,
    InvalidRequest,
    Unavailable,
)
from hitl_approval.mcp import asking
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.mcp_caller import DesktopCaller
from hitl_approval_cli.sessions import FOLDER_VARIABLE, Session, keep_session

from .fake_cloud import FakeCloud

PAGE = "https://page.example"
ASK = {"subject": "Ship it"}


def caller(name: str | None = "rita") -> DesktopCaller:
    return DesktopCaller.of(Deployment("hitl-approval"), name)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "pause", lambda _: None)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))


def test_should_ask_read_and_withdraw_as_the_name_that_is_given(cloud: FakeCloud) -> None:
    record = asking.ask(caller(), ASK, None)
    assert record["requester"] == "rita"
    ended = asking.withdraw(caller(), record["approval_id"], "not needed")
    assert (ended["status"], ended["decided_by"]) == ("cancelled", "rita")
    assert [event["action"] for event in cloud.asked] == ["get", "get", "cancel"]


def test_should_ask_as_nobody_else(cloud: FakeCloud) -> None:
    assert asking.ask(caller(), {**ASK, "requester": "ann"}, None)["requester"] == "rita"
    assert cloud.started[0]["requester"] == "rita"


def test_should_be_who_has_signed_in(cloud: FakeCloud) -> None:
    cloud.outputs["PageUrl"] = PAGE
    keep_session(Session(PAGE, "ann@example.com", "token", "2999-01-01T00:00:00+00:00"))
    found = caller(None)
    assert (found.name, found.by_session) == ("ann@example.com", True)
    assert caller("rita").by_session is False


def test_should_be_the_systems_user_without_a_sign_in(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud.outputs
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    assert caller(None).name == "me"


def test_should_ask_once_under_a_key_and_refuse_another_request_under_it(cloud: FakeCloud) -> None:
    first, again = (asking.ask(caller(), ASK, "k")["approval_id"] for _ in range(2))
    assert first == again
    assert len(cloud.started) == 1
    with pytest.raises(InvalidRequest, match="idempotency_key"):
        asking.ask(caller(), {"subject": "Another"}, "k")


def test_should_give_the_refusals_of_the_deployment(cloud: FakeCloud) -> None:
    with pytest.raises(ApprovalNotFound):
        asking.own(caller(), "f" * 32)
    record = asking.ask(caller(), ASK, None)
    cloud.error = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "x")
    with pytest.raises(Unavailable):
        asking.own(caller(), record["approval_id"])
    cloud.error = None
    asking.withdraw(caller(), record["approval_id"])
    with pytest.raises(ApprovalNotFound):
        asking.own(caller("bob"), record["approval_id"])


def test_should_say_why_the_workflow_made_no_request(cloud: FakeCloud) -> None:
    cloud.asks = False
    said = {"ErrorType": "hitl_approval.InvalidRequest", "ErrorMessage": "approvers: nobody"}
    cloud.execution = {"Status": "FAILED", "Error": said}
    with pytest.raises(InvalidRequest, match="approvers: nobody"):
        asking.ask(caller(), ASK, None)
    cloud.execution = {"Status": "RUNNING"}
    with pytest.raises(Unavailable, match="not on record yet"):
        asking.ask(caller(), ASK, None)


def test_should_name_the_page_where_people_sign_in_by_a_browser(cloud: FakeCloud) -> None:
    assert caller().page_of("a1") is None
    cloud.outputs |= {"PageUrl": PAGE, "SignInIssuer": "https://issuer.example"}
    assert caller().page_of("a1") == f"{PAGE}/approvals/a1"


def test_should_say_who_was_quicker(cloud: FakeCloud) -> None:
    record = asking.ask(caller(), {**ASK, "approvers": ["bob"]}, None)
    decide = {"action": "decide", "approval_id": record["approval_id"], "decision": "approved"}
    Deployment("hitl-approval").call({**decide, "approver": "bob"})
    with pytest.raises(AlreadyDecided):
        asking.withdraw(caller(), record["approval_id"])
    assert cloud.started
