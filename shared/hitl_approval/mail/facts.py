"""What a mail shows of an approval: the facts that its text and its HTML both are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.command_line import command
from hitl_approval.domain.facts import facts
from hitl_approval.domain.files import file_in_words
from hitl_approval.domain.masking import MASK, sent
from hitl_approval.domain.moment import in_words, utc_moment
from hitl_approval.domain.notification import (
    Notification,
    approvers_in_words,
)
from hitl_approval.domain.request import CONTENT, content_of
from hitl_approval.domain.standing import (
    end_in_a_word,
    end_in_words,
    released_in_words,
    standing,
    why_asked,
)
from hitl_approval.domain.text import inert
from hitl_approval.domain.thread_notification import said_by, shown_in_message
from hitl_approval.domain.values import rows_sent

MAX_ROWS = 8
"""Fields of the context in a mail: what is read at a glance; the page has them all."""
MAX_VALUE = 200
"""Characters of one value in a mail: three lines on a phone."""
_IN_FIRST_LINE = {"subject", "requester"}
MAX_NAME = 60
"""Characters of a field's name in a mail."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Names with their values, and what of the context is left to the page.

    Attributes:
        rows: what is shown.
        more: fields of the context that are not shown, or not whole.
    """

    rows: tuple[tuple[str, str], ...]
    more: int


def shown_in_mail(approval: Approval) -> Rows:
    """What a mail shows of what is asked beside its first line: the first fields of the context.

    Those first that a page puts first, too. What is sensitive, and a field that has fields of its
    own, is left to the page and said to be there.
    """
    rows = _named(approval)
    found = facts(sent(approval))
    first = {
        "Summary": found.summary,
        "Amount": found.amount,
        "Risk": found.risk,
        "Impact": found.impact,
        "Next": found.following,
    }
    fields = [(name, value) for name, value in first.items() if value is not None]
    fields += found.rest.items()
    more = max(len(fields) - MAX_ROWS, 0)
    for name, value in fields[:MAX_ROWS]:
        said, whole = _value(value)
        more += not whole or value == MASK
        rows.append((_cut(inert(name, keep=""), MAX_NAME) or "(no name)", said))
    return Rows(tuple(rows), more)


def _named(approval: Approval) -> list[tuple[str, str]]:
    """What a request is about, by the name of a document and of files."""
    rows = [
        (CONTENT[name].label, inert(value, keep=""))
        for name, value in content_of(approval).items()
        if name not in _IN_FIRST_LINE
    ]
    return rows + [("File", inert(file_in_words(file), keep="")) for file in approval.files]


def facts_of(notification: Notification, *, zone: tzinfo | None = None) -> Mapping[str, Any]:
    """The values of a mail's templates.

    Args:
        notification: what is said to whom.
        zone: the reader's own. Default: UTC, where it is not known.
    """
    approval = notification.approval
    released = notification.kind == "released"
    what = (CONTENT["subject"].label, inert(approval.subject, keep=""))
    shown = Rows((what, *_named(approval)), 0) if released else shown_in_mail(approval)
    ended = not approval.pending
    rows = list(shown.rows)
    if not released:
        rows += [(name, inert(value)) for name, value in rows_sent(approval)]
    if not ended and not released:
        rows.append(("Approvers", inert(approvers_in_words(approval), keep="")))
        before = why_asked(approval, notification.recipient)
        rows += [(name, inert(value, keep="")) for name, value in before]
        if approval.votes:
            rows.append(("Answers", inert(standing(approval), keep="")))
    if ended and approval.comments:
        rows.append(("Comment", _value(approval.comments)[0]))
    comment, (said, left_out) = notification.comment, _said(notification)
    return {
        "who": "" if comment is None else inert(comment.author, keep=""),
        "thread": said,
        "left_out": left_out,
        "on_the_command_line": _on_the_command_line(notification),
        "subject": inert(approval.subject, keep=""),
        "requester": inert(approval.requester, keep=""),
        "yours": notification.to_requester,
        "until": in_words(approval.expires_at, now=notification.at, zone=zone),
        "end": end_in_a_word(approval) if ended else "",
        "how": end_in_words(approval) if ended else "",
        "released": inert(released_in_words(approval), keep=""),
        "rows": rows,
        "more": shown.more,
        "link": notification.link,
        "entry": notification.entry,
        "approval_id": approval.approval_id,
    }


def _said(notification: Notification) -> tuple[Sequence[tuple[str, str]], int]:
    """What was said, with who did and when, and how many comments are left to the page."""
    if notification.comment is None:
        return (), 0
    left_out, shown = shown_in_message(notification.thread, notification.comment)
    said = [(f"{said_by(each)} ({utc_moment(each.at)})", inert(each.text)) for each in shown]
    return said, left_out


def _on_the_command_line(notification: Notification) -> Sequence[str]:
    """What the reader may type instead of opening a link."""
    approval_id, comment = notification.approval_id, notification.comment
    found: Sequence[Sequence[str]]
    if notification.kind == "question" and comment is not None:
        answers = ("--answers", str(comment.sequence), '-m "your answer"')
        found = [("comment", approval_id, *answers)]
    elif notification.link is None:
        found = [("show", approval_id)]
    else:
        found = [("approve", approval_id), ("reject", approval_id, '-m "why"')]
    return [command(*words, stack=notification.stack) for words in found]


def _value(value: Any) -> tuple[str, bool]:
    """A value as a mail says it, and whether that is all of it."""
    if isinstance(value, dict | list) and value:
        of = "field" if isinstance(value, dict) else "item"
        return f"{len(value)} {of}{'' if len(value) == 1 else 's'}, on the page", False
    words = {None: "none", True: "yes", False: "no"}
    if value is None or isinstance(value, bool):
        return words[value], True
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    said = inert(text.replace("\r\n", "\n"))
    return _cut(said, MAX_VALUE), len(said) <= MAX_VALUE


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}\u2026"
