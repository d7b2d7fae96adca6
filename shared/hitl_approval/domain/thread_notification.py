"""What messages say of a request's thread: a question to its requester, an answer to who asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hitl_approval.contract import MessageKind
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.command_line import command
from hitl_approval.domain.moment import utc_moment
from hitl_approval.domain.notification import Notification, table
from hitl_approval.domain.text import inert, sns_subject
from hitl_approval.domain.thread import Comment, find_comment

MAX_SHOWN: Final = 8_000
"""Characters of a thread in a message: four comments of full length; the page has them all."""


def said_in_thread(
    approval: Approval,
    thread: Sequence[Comment],
    sequence: int,
    *,
    recipient: str,
    kind: MessageKind,
    to_requester: bool = False,
    link: str | None = None,
    entry: str | None = None,
    stack: str | None = None,
) -> Notification:
    """Bring a question to the requester, or an answer to who asked.

    Args:
        approval: the record, which is pending.
        thread: what was said about it, oldest first.
        sequence: of the comment that the message is about, which is one of them.
        recipient: whom it is for.
        kind: `question` or `answer`.
        to_requester: whether the recipient asked for approval.
        link: the recipient's own link, which must stand in no other message.
        entry: where the recipient sees the approval once signed in. Default: nobody can sign in.
        stack: what `--stack` takes in the commands that it names. Default: they need none.
    """
    comment = find_comment(thread, sequence)
    if comment is None:
        msg = f"nothing of number {sequence} was said"
        raise ValueError(msg)
    left_out, shown = shown_in_message(thread, comment)
    rows = [
        ("Subject", approval.subject),
        ("Asked by", approval.requester),
        ("Expires", utc_moment(approval.expires_at)),
        ("Approval", approval.approval_id),
    ]
    parts = [
        headline(comment, to_requester=to_requester),
        "\n\n".join(_in_text(each) for each in shown),
        *([f"{left_out} earlier comments are on the page."] if left_out else []),
        table(rows),
        f"The request stays open and still expires at {utc_moment(approval.expires_at)}.",
    ]
    verb = "answer" if to_requester else "see it and decide"
    if link is not None:
        only = " It answers, and decides nothing." if to_requester else ""
        parts.append(f"To {verb}, open your own link. It is only for you.{only}\n  {link}")
    if entry is not None:
        parts.append(f"{f'To {verb}' if link is None else 'Or'}, sign in:\n  {entry}")
    words = (
        ("comment", approval.approval_id, "--answers", str(sequence), '-m "your answer"')
        if to_requester
        else ("show", approval.approval_id)
    )
    parts.append(
        f"{f'To {verb}' if link is entry is None else 'Or on the command line'}:\n"
        f"  {command(*words, stack=stack)}"
    )
    word = "Question" if kind == "question" else "Answer"
    return Notification(
        approval=approval,
        subject=sns_subject(f"{word}: {approval.subject}"),
        body="\n\n".join(parts) + "\n",
        recipient=recipient,
        kind=kind,
        to_requester=to_requester,
        link=link,
        entry=entry,
        stack=stack,
        comment=comment,
        thread=tuple(thread),
    )


def headline(comment: Comment, *, to_requester: bool) -> str:
    """What has happened, in a sentence."""
    who = inert(comment.author, keep="")
    if comment.question:
        return f"{who} asks {'you' if to_requester else 'the requester'}, before deciding:"
    return f"{who} has answered:"


def shown_in_message(thread: Sequence[Comment], about: Comment) -> tuple[int, tuple[Comment, ...]]:
    """How many of the earlier comments a message leaves to the page, and what it shows.

    A question is shown alone. An answer is shown below the question that it answers and what was
    said before, oldest first, as far as there is room.
    """
    if about.question:
        return 0, (about,)
    asked = find_comment(thread, about.answers)
    needed = [each for each in (asked, about) if each is not None]
    room = MAX_SHOWN - sum(len(each.text) for each in needed)
    before = [e for e in thread if e.sequence < about.sequence and e not in needed]
    kept: list[Comment] = []
    for each in reversed(before):
        room -= len(each.text)
        if room < 0:
            break
        kept.append(each)
    shown = sorted([*needed, *kept], key=lambda each: each.sequence)
    return len(before) - len(kept), tuple(shown)


def said_by(comment: Comment) -> str:
    """Who said a comment, and what it is."""
    verb = "asked" if comment.question else "answered" if comment.answers is not None else "said"
    return f"{inert(comment.author, keep='')} {verb}"


def _in_text(comment: Comment) -> str:
    lines = inert(comment.text).splitlines()
    said = "\n".join(f"  {line}" for line in lines)
    return f"{said_by(comment)} ({utc_moment(comment.at)}):\n{said}"
