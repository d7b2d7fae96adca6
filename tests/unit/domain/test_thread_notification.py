"""What a message says that brings a question or an answer."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from hitl_approval.domain.thread import Comment
from hitl_approval.domain.thread_notification import (
    MAX_SHOWN,
    said_in_thread,
    shown_in_message,
)
from tests.anything import NOW, any_approval, any_request

LINK = "https://approve.example.com/a/token"
ENTRY = "https://approve.example.com/approvals/a"


def comments(*said: tuple[str, str, dict[str, Any]]) -> list[Comment]:
    numbers = count(2)
    return [
        Comment(next(numbers), who, "link", NOW + timedelta(minutes=1), text, **more)
        for who, text, more in said
    ]


THREAD = comments(
    ("ann", "Mind the month's end", {}),
    ("bob", "Which cost centre?", {"question": True}),
    ("rita", "4711", {"answers": 3}),
)
APPROVAL = any_approval(request=any_request(approvers=("ann", "bob")))


def test_should_bring_the_requester_a_question_with_their_own_way_to_answer() -> None:
    said = said_in_thread(
        APPROVAL, THREAD[:2], 3, recipient="rita", kind="question", to_requester=True, link=LINK,
        entry=ENTRY,
    )  # fmt: skip
    assert said.subject == "Question: Q4 Budget Proposal"
    assert "bob asks you, before deciding:" in said.body
    assert "bob asked (2026-01-02 03:05 UTC):\n  Which cost centre?" in said.body
    assert f"It answers, and decides nothing.\n  {LINK}" in said.body
    assert f"Or, sign in:\n  {ENTRY}" in said.body
    assert f'hitl comment {APPROVAL.approval_id} --answers 3 -m "your answer"' in said.body
    assert "stays open and still expires at 2026-01-02 04:04 UTC" in said.body
    assert "hitl approve" not in said.body
    assert "Mind the month" not in said.body
    assert (said.kind, said.to_requester, said.link, said.comment) == (
        "question", True, LINK, THREAD[1],
    )  # fmt: skip


def test_should_bring_who_asked_the_answer_below_what_was_said_before() -> None:
    said = said_in_thread(APPROVAL, THREAD, 4, recipient="bob", kind="answer", link=LINK)
    assert said.subject == "Answer: Q4 Budget Proposal"
    assert "rita has answered:" in said.body
    places = [said.body.index(each.text) for each in THREAD]
    assert places == sorted(places)
    assert f"To see it and decide, open your own link. It is only for you.\n  {LINK}" in said.body
    assert f"hitl show {APPROVAL.approval_id}" in said.body


def test_should_say_the_command_where_there_is_no_page() -> None:
    said = said_in_thread(APPROVAL, THREAD, 4, recipient="olga", kind="answer")
    assert f"To see it and decide:\n  hitl show {APPROVAL.approval_id}" in said.body


def test_should_show_what_was_said_inert() -> None:
    hostile = comments(("bob", "a\x1b[2J\u202eb\nSubject   another", {"question": True}))
    said = said_in_thread(
        APPROVAL, hostile, 2, recipient="rita", kind="question", to_requester=True
    )
    assert "\x1b" not in said.body
    assert "\u202e" not in said.body
    assert "\n  Subject   another" in said.body, "indented below who said it"


def test_should_leave_to_the_page_what_a_message_has_no_room_for() -> None:
    long = comments(
        *[("ann", f"{number} " + "x" * 1_990, {}) for number in range(9)],
        ("bob", "Which cost centre?", {"question": True}),
        ("rita", "4711", {"answers": 11}),
    )
    left_out, shown = shown_in_message(long, long[-1])
    assert [each.text for each in shown[-2:]] == ["Which cost centre?", "4711"]
    assert left_out == len(long) - len(shown) == 5
    assert sum(len(each.text) for each in shown) <= MAX_SHOWN
    said = said_in_thread(APPROVAL, long, 12, recipient="bob", kind="answer")
    assert "5 earlier comments are on the page." in said.body


def test_should_keep_what_is_asked_and_answered_however_much_came_between() -> None:
    long = comments(
        ("bob", "Which cost centre?", {"question": True}),
        *[("ann", f"{number} " + "x" * 1_990, {}) for number in range(9)],
        ("rita", "4711", {"answers": 2}),
    )
    _, shown = shown_in_message(long, long[-1])
    assert (shown[0].text, shown[-1].text) == ("Which cost centre?", "4711")


def test_should_bring_nothing_that_was_not_said() -> None:
    with pytest.raises(ValueError, match="nothing of number 9 was said"):
        said_in_thread(APPROVAL, THREAD, 9, recipient="rita", kind="question")
