"""An approval as callers see it: no callback, no token, no link; a broken row in a list is one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hitl_approval.domain.view import UNREADABLE, entry, listed, summary, view
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared

ROW: dict[str, Any] = {
    "approval_id": "a",
    "status": "pending",
    "created_at": "2026-01-02T03:04:05.000Z",
    "expires_at": "2026-01-02T04:04:05.000Z",
    "subject": "Q4",
    "requester": "rita",
    "approvers": [],
}


def test_should_show_nothing_that_lets_anybody_act() -> None:
    approval = any_approval(callback_id="secret-callback", creation_token="secret-token")
    for shown in (view(approval), summary(approval), entry(approval)):
        assert "secret" not in json.dumps(shown)


def test_should_show_the_context_and_the_code_in_the_whole_view_only() -> None:
    approval = replace(any_approval(request=any_request(context={"amount": 7})), challenge="AB-CD")
    assert (view(approval)["context"], view(approval)["challenge"]) == ({"amount": 7}, "AB-CD")
    assert not {"context", "challenge"} & summary(approval).keys()


def test_should_show_a_decision_once_there_is_one() -> None:
    approval = any_approval()
    assert (summary(approval)["decision"], summary(approval)["decided_at"]) == (None, None)
    voted = cast_vote(approval, declared("bob"), "approved", "yes", now=NOW)
    assert voted is not None
    shown = summary(voted.after)
    assert (shown["decision"], shown["decided_by"], shown["comments"]) == ("approved", "bob", "yes")
    assert [vote["approver"] for vote in shown["votes"]] == ["bob"]


def test_should_list_a_row_as_it_is() -> None:
    assert listed(ROW) == ROW


@pytest.mark.parametrize(
    "broken", [{"subject": 7}, {"approvers": "bob"}, {"expires_at": "soon"}, {"decided_at": 1}]
)
def test_should_list_a_row_that_cannot_be_read_by_its_keys(broken: dict[str, Any]) -> None:
    shown = listed(ROW | broken)
    assert (shown["approval_id"], shown["subject"]) == ("a", UNREADABLE)
    assert shown["expires_at"] == ROW["created_at"]


def test_should_list_nothing_that_the_trail_is_not_held_against() -> None:
    altered = {"decision": "approved", "document_name": "Something else"}
    shown = listed(ROW | {"status": "rejected"} | altered)
    assert (shown["decision"], shown["document_name"]) == ("rejected", ROW["subject"])
