"""`hitl login`: from then on decisions are made through the page, under a verified identity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.contract import Output
from hitl_approval.domain.policy import Policy
from hitl_approval.testing import World
from hitl_approval_cli import deployment
from hitl_approval_cli.browser_sign_in import SignedIn
from hitl_approval_cli.commands import login
from hitl_approval_cli.page_api import DECISIONS
from hitl_approval_cli.sessions import FOLDER_VARIABLE, Session, find_session, keep_session
from tests.anything import any_opening, any_request
from tests.unit.http.by_sign_in import ANN, call

from .conftest import Hitl
from .fake_cloud import FakeCloud

PAGE = "https://approvals.example.com"
SIGN_IN = {
    Output.PAGE_URL: PAGE,
    Output.SIGN_IN_ISSUER: "https://issuer.example.com",
    Output.SIGN_IN_CLIENT_ID: "approvals",
}


def until(hours: int) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


@pytest.fixture(autouse=True)
def page(
    cloud: FakeCloud, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The page's API, as its authorizer lets Ann in; the tokens that it was called with."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    cloud.outputs |= SIGN_IN
    tokens: list[str] = []

    def call_page(session: Session, payload: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        tokens.append(session.token)
        if session.token != "ann's":
            return 401, {"message": "Unauthorized"}
        given = {k: v for k, v in payload.items() if k not in {"action", "approval_id"}}
        answer = call(
            world,
            f"POST {DECISIONS[payload['action']]}",
            approval_id=payload["approval_id"],
            body=json.dumps(given),
            content_type="application/json",
        )
        return answer["statusCode"], json.loads(answer["body"])

    monkeypatch.setattr(deployment, "call_page", call_page)
    monkeypatch.setattr(login, "sign_in", lambda *_: SignedIn(ANN, "ann's", until(1)))
    return tokens


@pytest.fixture(autouse=True)
def nameless(hitl: Hitl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has typed a name."""
    assert hitl is not None
    monkeypatch.delenv("HITL_USER", raising=False)


def requested(world: World, **fields: Any) -> str:
    request = any_request(approvers=(ANN,))
    opening = any_opening(now=world.clock.now(), request=request, **fields)
    return world.store.create(opening).approval_id


@pytest.mark.parametrize(("verb", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_should_decide_as_whoever_has_signed_in(
    hitl: Hitl, world: World, page: list[str], verb: str, status: str
) -> None:
    approval_id = requested(world, policy=Policy(require_verified_identity=True))
    assert f"Signed in as {ANN} until" in hitl("login").out
    result = hitl(verb, approval_id, "-m", "because", "--yes")
    assert (result.status, result.err) == (0, "")
    assert f"{status} by {ANN}; the workflow resumes" in result.out
    [vote] = world.store.approvals[approval_id].votes
    assert (vote.approver, vote.identity, vote.comments) == (ANN, "jwt", "because")
    assert page == ["ann's"]


def test_should_bind_the_decision_to_what_was_shown(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    hitl("login")
    assert hitl("approve", approval_id, stdin="y\n", terminal=True).status == 0
    assert world.store.approvals[approval_id].status == "approved"


def test_should_take_a_typed_name_for_a_typed_name(
    hitl: Hitl, world: World, page: list[str]
) -> None:
    approval_id = requested(world)
    hitl("login")
    assert hitl("approve", approval_id, "--as", ANN, "--yes").status == 0
    assert world.store.approvals[approval_id].votes[0].identity == "declared"
    assert page == []


def test_should_not_fall_back_to_a_typed_name_once_the_sign_in_has_ended(
    hitl: Hitl, world: World, page: list[str]
) -> None:
    approval_id = requested(world)
    keep_session(Session(PAGE, ANN, "ann's", until(-1).isoformat()))
    result = hitl("approve", approval_id, "--yes")
    assert result.status == 1
    assert "your sign-in has ended: run hitl login, or say who you are with --as" in result.err
    assert "(SIGNED_OUT)" in result.err
    keep_session(Session(PAGE, ANN, "revoked", until(1).isoformat()))
    assert "does not take your sign-in (401)" in hitl("approve", approval_id, "--yes").err
    assert world.store.approvals[approval_id].pending
    assert page == ["revoked"]


def test_should_say_what_the_page_refuses(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, policy=Policy(require_comment_on_rejection=True))
    hitl("login")
    result = hitl("reject", approval_id, "--yes")
    assert result.status == 2
    assert "a rejection must say why" in result.err


def test_should_forget_the_sign_in(hitl: Hitl) -> None:
    hitl("login")
    assert find_session(PAGE) is not None
    assert hitl("logout", "--json").json == {"signed_out": True}
    assert find_session(PAGE) is None
    assert hitl("logout").out == "Nobody was signed in.\n"


def test_should_show_no_token(hitl: Hitl) -> None:
    for words in (["login"], ["login", "--json"]):
        result = hitl(*words)
        assert "ann's" not in result.out + result.err


@pytest.mark.parametrize("missing", SIGN_IN)
def test_should_say_that_nobody_can_sign_in(hitl: Hitl, cloud: FakeCloud, missing: str) -> None:
    del cloud.outputs[missing]
    result = hitl("login")
    assert result.status == 1
    assert "nobody can sign in to this deployment from a terminal" in result.err
