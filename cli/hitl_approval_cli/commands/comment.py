"""`hitl comment`: ask about a request, answer, or just say something."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hitl_approval.domain.thread import sent_in_words
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import As, Id, os_user
from hitl_approval_cli.short_ids import call_about
from hitl_approval_cli.times import local_time, time_left

Text = Annotated[str, typer.Option("--message", "-m", help="What you say.")]
Question = Annotated[
    bool, typer.Option("--question", help="Ask whoever asked for approval: they are sent it.")
]
Answers = Annotated[
    int | None,
    typer.Option(
        "--answers",
        min=1,
        metavar="NUMBER",
        help="Answer the question of this number, as hitl show has it: who asked is sent it.",
    ),
]


@connected
def comment(
    to: Connection,
    *,
    approval_id: Id,
    message: Text,
    question: Question = False,
    answers: Answers = None,
    name: As = None,
) -> None:
    """Ask the requester of a pending request something, answer, or comment; it decides nothing.

    For whoever may decide, the requester and operators. The request stays open, and still expires.

    Example: hitl comment 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --question -m "Which cost centre?"

    Example: hitl comment 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --answers 2 -m "4711"
    """
    if question and answers is not None:
        raise usage("--question and --answers: pass one of them, a question answers nothing")
    payload: dict[str, Any] = {
        "action": "comment",
        "approval_id": approval_id,
        "comments": message,
        "question": question,
        "answers": answers,
    }
    if name is not None or to.deployment.session is None:
        payload["approver"] = os_user() if name is None else name
    answer = call_about(to.deployment, payload)

    def for_people() -> None:
        what = "question" if question else "comment" if answers is None else "answer"
        already = " already" if answer["already"] else ""
        left = time_left(answer["expires_at"])
        until = local_time(answer["expires_at"])
        output.out.print(
            f"{output.safe(answer['approval_id'])}: your {what} is{already} on record."
            f" {output.safe(sent_in_words(answer['to']))}",
            soft_wrap=True,
        )
        output.out.print(f"It is still pending and expires at {until} ({left}).", soft_wrap=True)

    to.show(answer, for_people)
