"""The thread of a request: what people ask and answer about it before it is decided.

Nothing of it decides, none of it is part of what is approved, and no clock stops for it. Its texts
stand in the audit trail and nowhere else; the record only counts them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hitl_approval.contract import Audit
from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import Actor, EventName, isoformat, parse_time
from hitl_approval.domain.delivery import is_mail_address
from hitl_approval.domain.ending import check_open
from hitl_approval.domain.errors import InvalidRequest, ThreadFull
from hitl_approval.domain.moment import length, utc_moment
from hitl_approval.domain.permission import check_may_comment
from hitl_approval.domain.person import may_be_one

MAX_COMMENTS: Final = 50
"""Comments of one request: what needs more is talked about elsewhere. Whole they are 100,000
characters, which a page shows and one read of the trail brings."""
COMMENTED: Final[EventName] = "commented"
"""The audit event of a comment."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One thing that was said about a request.

    Attributes:
        sequence: of its audit event; an answer names its question by it.
        author: who said it.
        identity: how their name is known, as `audit.Identity` has it.
        at: when.
        text: what.
        question: whether it asks the requester.
        answers: the sequence of the question that it answers; None where it answers none.
    """

    sequence: int
    author: str
    identity: str
    at: datetime
    text: str
    question: bool = False
    answers: int | None = None


def accept_text(value: Any, field: str = "comments") -> str:
    """Accept what somebody says: text of several lines, and not nothing.

    Raises:
        InvalidRequest: no text, empty, too long, or with control or direction characters.
    """
    said = text.comment(value, field)
    if all(unicodedata.category(character)[0] in "ZC" for character in said):
        raise InvalidRequest(field, "must not be empty: say something")
    return said


def comment(
    approval: Approval,
    actor: Actor,
    said: str,
    *,
    thread: Sequence[Comment],
    now: datetime,
    question: bool = False,
    answers: int | None = None,
    operators: Sequence[str] = (),
) -> Transition | None:
    """Say something about a pending request; it stays as pending as it was.

    Args:
        approval: the record.
        actor: who says it: who may decide, who asked for it, or an operator.
        said: the text, as `accept_text` accepts it.
        thread: what was said about it so far.
        now: the time.
        question: whether the requester is asked, and so sent it.
        answers: the sequence of a question; who asked that is sent the answer.
        operators: who may comment on any request.

    Returns:
        The transition to commit, or None when the last thing said is the same, by the same person.

    Raises:
        AlreadyDecided, ApprovalExpired: there is nothing to say any more.
        Forbidden: this person has nothing to do with it.
        InvalidRequest: it asks who asks, or answers what is no question of this request.
        ThreadFull: it has as many comments as a request takes.
    """
    check_open(approval, now=now)
    check_may_comment(approval, actor, operators)
    check_purpose(question=question, answers=answers)
    if question and may_be_one(actor.name, approval.requester):
        raise InvalidRequest("question", "must be left out: you are the one who is asked")
    to = sent_to(approval, actor, thread, question=question, answers=answers)
    last = thread[-1] if thread else None
    if last and (last.author, last.text, last.question, last.answers) == (
        actor.name,
        said,
        question,
        answers,
    ):
        return None
    if approval.thread_length >= MAX_COMMENTS:
        raise ThreadFull(MAX_COMMENTS)
    details = {
        "comments": said,
        **({"question": True} if question else {}),
        **({"answers": answers} if answers is not None else {}),
        **({"to": to} if to else {}),
        **actor.vouched,
    }
    counted = replace(approval, thread_length=approval.thread_length + 1)
    return with_event(counted, COMMENTED, actor, now, details)


def check_purpose(*, question: bool, answers: int | None) -> None:
    """Whether a comment is at most one of the two, a question or an answer.

    Raises:
        InvalidRequest: it is both.
    """
    if question and answers is not None:
        raise InvalidRequest("answers", "must be left out of a question: it answers none")


def sent_to(
    approval: Approval,
    actor: Actor,
    thread: Iterable[Comment],
    *,
    question: bool,
    answers: int | None,
) -> list[str]:
    """Who is sent a comment: the requester a question, who asked it the answer; nobody their own.

    Raises:
        InvalidRequest: it answers what is no question of this request.
    """
    names = [approval.requester] if question else _asker(thread, answers)
    return [name for name in names if not may_be_one(name, actor.name)]


def sent_in_words(names: Sequence[str]) -> str:
    """Who is sent a comment, in a sentence or two.

    A name that is no address may be somebody's who has subscribed, or a program's: nobody knows.
    """
    if not names:
        return "Nobody is sent it: whoever opens the request reads it."
    named = text.inert(text.listed(names), keep="")
    if all(map(is_mail_address, names)):
        return f"It is sent to {named}."
    return (
        f"It is sent to whoever subscribed to messages for {named}. If that is a program, nobody "
        "can be sent it, and it is on record only."
    )


def still_expires(approval: Approval, *, now: datetime) -> str:
    """That no clock stops for a question, in a sentence."""
    left = length(approval.expires_at - now)
    until = utc_moment(approval.expires_at)
    return f"The request stays open and still expires at {until}, in {left}."


def thread_of(events: Iterable[Mapping[str, Any]]) -> tuple[Comment, ...]:
    """The comments of a trail, oldest first; what cannot be read as one is none."""
    return tuple(
        found
        for event in events
        if event.get("event") == COMMENTED and (found := _read(event)) is not None
    )


def open_questions(thread: Iterable[Comment]) -> tuple[Comment, ...]:
    """The questions that nobody has answered."""
    said = tuple(thread)
    answered = {each.answers for each in said}
    return tuple(each for each in said if each.question and each.sequence not in answered)


def find_comment(thread: Iterable[Comment], sequence: int | None) -> Comment | None:
    """The comment of this number; None if there is none."""
    return next((each for each in thread if each.sequence == sequence), None)


def comment_view(comment: Comment) -> dict[str, Any]:
    """A comment as JSON values."""
    return {
        "sequence": comment.sequence,
        "author": comment.author,
        "identity": comment.identity,
        "at": isoformat(comment.at),
        "comments": comment.text,
        "question": comment.question,
        "answers": comment.answers,
    }


def _asker(thread: Iterable[Comment], answers: int | None) -> list[str]:
    """Who asked the question that is answered; nobody where none is."""
    if answers is None:
        return []
    questions = {each.sequence: each for each in thread if each.question}
    if answers not in questions:
        known = ", ".join(map(str, questions))
        rule = f"must be the number of a question: {known}" if known else "nothing was asked"
        raise InvalidRequest("answers", rule)
    return [questions[answers].author]


def _read(event: Mapping[str, Any]) -> Comment | None:
    try:
        details = event["details"]
        answers = details.get("answers")
        return Comment(
            sequence=int(event[Audit.SORT_KEY]),
            author=str(event["actor"]),
            identity=str(event["identity"]),
            at=parse_time(event["at"]),
            text=str(details["comments"]),
            question=details.get("question") is True,
            answers=None if answers is None else int(answers),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
