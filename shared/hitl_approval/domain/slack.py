"""What Slack shows of a request, as Block Kit JSON: the message, the dialog, and how it ended.

Approve is offered on a message that shows the request whole, and on no other. All that people have
written stands in plain text, in which Slack reads no mention, link or format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from hitl_approval.contract import MessageKind
from hitl_approval.domain.approval import Approval, Decision
from hitl_approval.domain.command_line import command
from hitl_approval.domain.files import file_in_words
from hitl_approval.domain.masking import sent
from hitl_approval.domain.request import CONTENT, content_of
from hitl_approval.domain.slack_form import input_blocks
from hitl_approval.domain.standing import (
    by_rule,
    how_it_ended,
    released_in_words,
    standing,
    why_asked,
)
from hitl_approval.domain.text import MAX_COMMENT, inert
from hitl_approval.domain.thread import Comment
from hitl_approval.domain.thread_notification import said_by, shown_in_message
from hitl_approval.domain.values import rows_sent

MAX_SHOWN: Final = 6_000
"""Characters of a request that a message shows: about three screens of a phone. What is longer
is read on the page."""
MAX_LINES: Final = 60
"""Lines of it: blank ones would put the rest out of sight."""
MAX_SECTION: Final = 3_000
"""Of the text of a section (Block Kit reference, section block)."""
MAX_HEADER: Final = 150
"""Of the text of a header (Block Kit reference, header block)."""
MAX_SAID: Final = 10
"""Comments of a thread in a message: the newest; the page has them all."""
MAX_BLOCKS: Final = 50
"""Blocks of a message (Block Kit reference)."""
MAX_TEXT: Final = 4_000
"""Of a message's own text, which notifications show (chat.postMessage)."""

APPROVE: Final = "hitl_approve"
REJECT: Final = "hitl_reject"
ASK: Final = "hitl_ask"
OPEN_PAGE: Final = "hitl_open_page"
"""Ids of the buttons' actions, by which Slack says which one was clicked."""
DECIDE: Final = "hitl_decide"
QUESTION: Final = "hitl_question"
"""Ids of the dialogs: of the one that decides, and of the one that asks the requester."""
COMMENT: Final = "comment"
"""Id of its field for a comment."""

Step = Decision | Literal["question"]
"""What a button leads to: a decision, or a question to the requester."""
STEPS: Final[Mapping[str, Step]] = {APPROVE: "approved", REJECT: "rejected", ASK: "question"}
Blocks = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What is posted, or put in the place of what was.

    Attributes:
        text: for notifications and screen readers.
        blocks: what is shown.
    """

    text: str
    blocks: Blocks


@dataclass(frozen=True, slots=True)
class Subject:
    """What a button or a dialog is about, as Slack brings it back.

    Attributes:
        approval_id: the request.
        content_digest: of what was shown beside the button.
        step: the button's.
    """

    approval_id: str
    content_digest: str
    step: Step

    def to_json(self) -> str:
        """A text of 160 characters, of the 2,000 that a button's value may have."""
        return json.dumps([self.approval_id, self.content_digest, self.step])

    @classmethod
    def from_json(cls, value: str) -> Subject:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        found = json.loads(value)
        if (
            not isinstance(found, list)
            or len(found) != 3  # noqa: PLR2004  as `to_json` writes it
            or not all(isinstance(each, str) for each in found)
            or found[2] not in STEPS.values()
        ):
            msg = "is not about a request"
            raise ValueError(msg)
        return cls(found[0], found[1], cast(Step, found[2]))


_ASKS: Final[Mapping[str, str]] = {
    "requested": "Approval needed",
    "changed": "Changed, approval needed again",
    "reminder": "Reminder, approval needed",
}


def asking(
    approval: Approval,
    *,
    page: str | None,
    stack: str | None = None,
    kind: MessageKind = "requested",
    recipient: str | None = None,
) -> SlackMessage:
    """A request, with buttons to decide it.

    Args:
        approval: the record, which is pending.
        page: where the reader can see and decide it too; None where they can nowhere.
        stack: what `--stack` takes in the command that shows it. Default: it needs none.
        kind: whether the reader is asked first, again since it was changed, or reminded.
        recipient: the one person who is asked. Default: a channel.
    """
    before = [_note(_line(*row)) for row in why_asked(approval, recipient)]
    shown, whole = _shown(approval)
    whole = whole and not approval.sensitive  # which only the page shows
    asks = _ASKS[kind]
    until = _moment(approval)
    buttons = []
    if whole and approval.deciders:
        buttons.append(_button("Approve", APPROVE, approval, "primary"))
    if approval.deciders:
        buttons.append(_button("Reject", REJECT, approval, "danger"))
        buttons.append(_button("Ask", ASK, approval))
    if page is not None:
        buttons.append(_page_button("Open the page" if whole else "See all and decide", page))
    shows = command("show", approval.approval_id, stack=stack)
    elsewhere = "on its page" if page is not None else f"with {shows}"
    missing = [
        _section(_plain(f"This is not all. Before you approve, see the whole request {elsewhere}."))
    ]
    blocks = [
        *_headline(approval.subject),
        _section(_markdown(f"*{asks}* until {until}")),
        *shown,
        *([] if whole else missing),
        *before,
        _note(f"{standing(approval)}{_asked(approval)}. Approval {approval.approval_id}"),
        *([{"type": "actions", "elements": buttons}] if buttons else []),
    ]
    return SlackMessage(_text(f"{asks}: {approval.subject}"), blocks)


def _asked(approval: Approval) -> str:
    """Why these people, where a rule says so."""
    said = by_rule(approval)
    return f" ({said})" if said else ""


def ended(approval: Approval, *, to_requester: bool = False) -> SlackMessage:
    """How a request has ended, in place of its buttons or to who asked for it.

    Args:
        approval: the record, which has ended.
        to_requester: whether the reader asked for it.
    """
    how = how_it_ended(approval)
    whose = "your request" if to_requester else f"asked by {approval.requester}"
    said = f"\n{approval.comments}" if approval.comments else ""
    said += "".join(f"\n{label}: {value}" for label, value in rows_sent(approval))
    blocks = [
        *_headline(approval.subject),
        _open_section(inert(f"{how} ({whose}){said}")),
        _note(f"Approval {approval.approval_id}"),
    ]
    return SlackMessage(_text(f"{how}: {approval.subject}"), blocks)


def in_thread(
    approval: Approval,
    comment: Comment,
    thread: Sequence[Comment],
    *,
    page: str | None,
    to_requester: bool,
) -> SlackMessage:
    """A question or an answer, below the message that it is about where there is one.

    Args:
        approval: the record, which is pending.
        comment: the question or the answer.
        thread: what was said about the request, oldest first.
        page: where the reader can see and answer it; None where they can nowhere.
        to_requester: whether the reader asked for approval.
    """
    _, shown = shown_in_message(thread, comment)
    said = [f"{said_by(each)}: {inert(each.text)}"[:MAX_SECTION] for each in shown[-MAX_SAID:]]
    kind = "Question" if comment.question else "Answer"
    label = "Answer" if to_requester else "Open the page"
    blocks = [
        *_headline(approval.subject),
        *map(_open_section, said),
        _section(_markdown(f"The request stays open and still expires at {_moment(approval)}")),
        _note(f"Approval {approval.approval_id}"),
        *([{"type": "actions", "elements": [_page_button(label, page)]}] if page else []),
    ]
    return SlackMessage(_text(f"{kind}: {approval.subject}"), blocks)


def released(approval: Approval) -> SlackMessage:
    """In place of its buttons, for who is not asked any more.

    Args:
        approval: the record.
    """
    said = f"The request of {approval.requester} {released_in_words(approval)}"
    blocks = [
        *_headline(approval.subject),
        _open_section(inert(said)),
        _note(f"Approval {approval.approval_id}"),
    ]
    return SlackMessage(_text(f"No longer yours: {approval.subject}"), blocks)


def dialog(approval: Approval, subject: Subject) -> dict[str, Any]:
    """The view that asks for a comment and for values before a decision is sent, or for a question.

    Args:
        approval: the record.
        subject: what was clicked.
    """
    rejects, asks = subject.step == "rejected", subject.step == "question"
    required = asks or (rejects and approval.policy.require_comment_on_rejection)
    verb = "Ask" if asks else "Reject" if rejects else "Approve"
    label = "What do you need to know?" if asks else "Why?" if required else "Comment"
    return {
        "type": "modal",
        "callback_id": QUESTION if asks else DECIDE,
        "private_metadata": subject.to_json(),
        "title": _plain(verb),
        "submit": _plain(verb),
        "close": _plain("Back"),
        "blocks": [
            *_headline(approval.subject),
            *([] if rejects else input_blocks(approval)),
            {
                "type": "input",
                "block_id": COMMENT,
                "optional": not required,
                "label": _plain(label),
                "element": {
                    "type": "plain_text_input",
                    "action_id": COMMENT,
                    "multiline": True,
                    "max_length": MAX_COMMENT,
                },
            },
        ],
    }


def notice(title: str, said: str) -> dict[str, Any]:
    """A view that says something and asks nothing.

    Args:
        title: at most 24 characters (Block Kit reference, modal).
        said: one sentence or two.
    """
    return {
        "type": "modal",
        "title": _plain(title),
        "close": _plain("Close"),
        "blocks": [_section(_plain(inert(said)[:MAX_SECTION]))],
    }


# The request's content


def _shown(approval: Approval) -> tuple[Blocks, bool]:
    """The content in sections, and whether it is all of it."""
    sections: list[str] = []
    characters, lines = MAX_SHOWN, MAX_LINES
    for line in _lines(approval):
        characters -= len(line)
        lines -= line.count("\n") + 1
        if characters < 0 or lines < 0 or len(line) > MAX_SECTION:
            return [_open_section(section) for section in sections], False
        if sections and len(sections[-1]) + 1 + len(line) <= MAX_SECTION:
            sections[-1] += f"\n{line}"
        else:
            sections.append(line)
    return [_open_section(section) for section in sections], True


def _lines(approval: Approval) -> Iterator[str]:
    for name, value in content_of(approval).items():
        if name != "subject":
            yield _line(CONTENT[name].label, value)
    for file in approval.files:
        yield _line("File", file_in_words(file))
    yield from _fields("", sent(approval))
    for label, value in rows_sent(approval):
        yield _line(label, value)


def _fields(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _fields(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, start=1):
            yield from _fields(f"{path}[{number}]", inner)
    elif path:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield _line(path, text)


def _line(name: str, value: str) -> str:
    """A field; further lines of it are indented, so that none looks like another field."""
    return f"{inert(name)}: {inert(value)}".replace("\n", "\n    ")


# Blocks


def _headline(subject: str) -> Blocks:
    """The subject whole: as a header where it is short enough for one."""
    text = inert(subject)
    if len(text) <= MAX_HEADER:
        return [{"type": "header", "text": _plain(text)}]
    return [_open_section(text)]


def _open_section(text: str) -> dict[str, Any]:
    """A section that Slack does not fold."""
    return {**_section(_plain(text)), "expand": True}


def _section(text: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "section", "text": text}


def _note(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_plain(inert(text)[:MAX_SECTION])]}


def _button(label: str, action: str, approval: Approval, style: str = "") -> dict[str, Any]:
    subject = Subject(approval.approval_id, approval.content_digest, STEPS[action])
    return {
        "type": "button",
        "action_id": action,
        "text": _plain(label),
        **({"style": style} if style else {}),
        "value": subject.to_json(),
    }


def _page_button(label: str, page: str) -> dict[str, Any]:
    return {"type": "button", "action_id": OPEN_PAGE, "text": _plain(label), "url": page}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _text(said: str) -> str:
    """A message's own text, in which no mention or link is read."""
    escaped = inert(said).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped[:MAX_TEXT]


def _moment(approval: Approval) -> str:
    """The expiry in the reader's own time zone, which Slack knows."""
    at = approval.expires_at
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
