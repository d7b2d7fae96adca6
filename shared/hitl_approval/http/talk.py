"""What a page shows of the thread, and its forms that ask, answer and comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.domain.thread import (
    MAX_COMMENTS,
    Comment,
    accept_text,
    open_questions,
    sent_in_words,
    still_expires,
)
from hitl_approval.http import html
from hitl_approval.http.reading import Reading
from hitl_approval.http.state import Opened
from hitl_approval.usecases.decide import DecisionService

SAY: Final = "say"
"""The field that tells these forms from the one that decides."""
MAX_DIGITS: Final = 6
"""Of an event's number that is read: no trail is longer."""
_WAYS: Final[Mapping[str, str]] = {
    "question": "Your question",
    "comment": "Your comment",
    "answer": "Your answer",
}


def is_comment(form: Mapping[str, str]) -> bool:
    """Whether a form asks, answers or comments; otherwise it decides."""
    return SAY in form


def say(service: DecisionService, opened: Opened, form: Mapping[str, str], *, now: datetime) -> str:
    """Put on record what a form says.

    Returns:
        What has happened, in sentences.

    Raises:
        ApprovalError: it is refused; nothing was written.
    """
    way = form.get(SAY, "")
    if way not in _WAYS:
        raise InvalidRequest(SAY, f"must be one of {', '.join(_WAYS)}")
    said = service.comment(
        opened.approval.approval_id,
        opened.actor,
        accept_text(form.get("said", "")),
        question=way == "question",
        answers=_number(form.get("answers", "")) if way == "answer" else None,
    )
    sent = sent_in_words(said.to)
    return f"{_WAYS[way]} is on record. {sent} {still_expires(said.approval, now=now)}"


def _number(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS):
        raise InvalidRequest("answers", "must be the number of a question")
    return int(given)


@dataclass(frozen=True, slots=True)
class Talk:
    """What a page shows of the thread.

    Attributes:
        thread: what was said, oldest first.
        notice: what has become of what this visitor just said. Default: they said nothing.
        refused: why it was not accepted. Default: it was.
        form: what was sent then, to be shown again.
    """

    thread: Sequence[Comment] = ()
    notice: str = ""
    refused: ApprovalError | None = None
    form: Mapping[str, str] | None = None

    def values(self, opened: Opened, reading: Reading, now: datetime) -> dict[str, Any]:
        """For the page's template."""
        given = self.form or {}
        unanswered = {each.sequence for each in open_questions(self.thread)}
        full = opened.approval.thread_length >= MAX_COMMENTS
        # Who has answered has what they need; they can still comment by `hitl` and the API.
        may_comment = opened.may_comment and not full and opened.state != "answered"
        return {
            "thread": self.thread,
            "unanswered": unanswered,
            "to_answer": unanswered if may_comment and opened.is_requester else set(),
            "may_comment": may_comment,
            "full": MAX_COMMENTS if full and opened.state == "open" else 0,
            "say_nonce": reading.comment_nonce if may_comment else "",
            "still_expires": still_expires(opened.approval, now=now),
            "said": {
                "notice": self.notice,
                "problem": html.problem(self.refused) if self.refused else "",
                "answers": given.get("answers", ""),
                "text": given.get("said", "") if self.refused else "",
            },
        }
