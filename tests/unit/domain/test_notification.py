"""The message an approver receives."""

from __future__ import annotations

from datetime import timedelta

from hitl_approval.domain.ending import expire
from hitl_approval.domain.notification import (
    MAX_CONTEXT_SHOWN,
    approval_needed,
    ended,
    note_notification_failed,
)
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared


def test_should_shorten_the_subject_and_keep_the_name_whole_in_the_body() -> None:
    name = "n" * 101
    message = approval_needed(any_approval(request=any_request(subject=name)))
    assert len(message.subject) <= 99
    assert name in message.body


def test_should_clean_the_subject_to_printable_ascii() -> None:
    message = approval_needed(any_approval(request=any_request(subject="Über 🚀 预算")))
    assert message.subject == "Approval needed: Uber"
    assert "Über 🚀 预算" in message.body


def test_should_say_who_asks_for_what_until_when_and_how_to_answer() -> None:
    approval = any_approval(
        request=any_request(approvers=["alice", "bob"], document_id="doc-1"),
        policy=Policy(quorum=Quorum.everyone()),
        timeout=timedelta(hours=1),
    )
    body = approval_needed(approval).body
    assert "rita asks for your approval." in body
    assert "alice, bob (2 approvals needed)" in body
    assert "2026-01-02 04:04:05 UTC" in body
    assert f"hitl approve {approval.approval_id}" in body
    assert f"hitl reject {approval.approval_id}" in body
    assert "callback-1" not in body


def test_should_say_who_can_still_answer_once_somebody_has() -> None:
    request = any_request(approvers=["ann", "bob", "cid"])
    approval = any_approval(request=request, policy=Policy(quorum=Quorum.at_least(2)))
    assert "Answers" not in approval_needed(approval).body
    voted = cast_vote(approval, declared("ann"), "approved", "", now=NOW)
    assert voted is not None
    body = approval_needed(voted.after, recipient="bob", kind="reminder").body
    assert "  Answers    1 of 2 approvals; bob or cid can still answer\n" in body


def test_should_show_a_hostile_context_inert_and_bounded() -> None:
    context = {"note": "a\u202eb\x00", "big": "x" * 100_000}
    body = approval_needed(any_approval(request=any_request(context=context))).body
    assert "\u202e" not in body
    assert "\x00" not in body
    assert len(body) < MAX_CONTEXT_SHOWN + 1_000
    assert "more characters on record" in body


ENTRY = "https://approve.example.com/approvals/a"
LINK = f"https://approve.example.com/a/{'t' * 43}"


def test_should_say_where_its_reader_may_answer() -> None:
    approval = any_approval(request=any_request(approvers=["ann"]))
    everybody = approval_needed(approval, entry=ENTRY).body
    assert f"To answer, sign in:\n  {ENTRY}\n\nOr on the command line:\n" in everybody
    ann = approval_needed(approval, recipient="ann", link=LINK, entry=ENTRY).body
    assert f"\n  {LINK}\n\nOr, sign in:\n  {ENTRY}\n\nOr on the command line:\n" in ann
    assert "To answer:\n  hitl approve" in approval_needed(approval).body


def test_should_say_where_its_reader_sees_how_it_ended() -> None:
    opened = any_approval(request=any_request(approvers=["ann"]))
    voted = cast_vote(opened, declared("ann"), "approved", "", now=opened.created_at)
    assert voted is not None
    said = ended(voted.after, recipient="rita", kind="outcome", to_requester=True)
    assert said.body.endswith(f"To see it:\n  hitl show {opened.approval_id}\n")
    said = ended(voted.after, recipient="rita", kind="outcome", to_requester=True, entry=ENTRY)
    assert f"To see it, sign in:\n  {ENTRY}\n\nOr on the command line:\n  hitl show" in said.body


def test_should_note_nothing_on_a_record_that_has_ended() -> None:
    opened = any_approval()
    assert note_notification_failed(opened, "no topic", now=NOW)
    closed = expire(opened, now=opened.expires_at)
    assert closed is not None
    assert note_notification_failed(closed.after, "no topic", now=NOW) is None
