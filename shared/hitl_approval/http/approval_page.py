"""One approval as a page: the form where it is open to this person, else what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.facts import facts
from hitl_approval.domain.masking import is_shown_all, shown_to
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.rows import parts, rows
from hitl_approval.domain.standing import by_rule, end_in_a_word, how_it_ended, standing
from hitl_approval.domain.values import changed_values, filled_in
from hitl_approval.domain.whose_turn import next_step, votes_by_stage, whose_turn
from hitl_approval.http import html
from hitl_approval.http.inputs import inputs_of
from hitl_approval.http.reading import Reading
from hitl_approval.http.state import Opened
from hitl_approval.http.talk import Talk
from hitl_approval.http.turn_forms import TurnForms

_NOTHING_GIVEN = {"from": "", "to": "", "why": "", "decision": "", "comments": "", "challenge": ""}


def render(
    opened: Opened,
    *,
    now: datetime,
    reading: Reading,
    query: Mapping[str, str] | None,
    turn: TurnForms,
    refused: ApprovalError | None = None,
    form: Mapping[str, str] | None = None,
    talk: Talk,
    referrer: str = "no-referrer",
    organization: Organization | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The page, as an HTTP API takes it.

    Args:
        opened: the approval, and whether its form is open to this person.
        now: the time.
        reading: what ties the parts of the page and its form together.
        query: of the page's address, which says what part of the request is shown.
        turn: the forms beside the decision.
        refused: why the form that was sent was not accepted.
        form: what was sent with it, to be shown again.
        talk: what the page shows of the thread.
        referrer: see `html.page`.
        organization: whose page it is.
        **more: what only one kind of visitor sees.
    """
    approval, is_open = opened.approval, opened.state == "open"
    stands_in = opened.on_behalf_of is not None
    all_shown = is_shown_all(approval, opened.actor, stands_in=stands_in)
    stated = facts(shown_to(approval, opened.actor, stands_in=stands_in))
    all_parts = parts(rows(stated.rest))
    part = reading.part_of(query, len(all_parts))
    whole = part == len(all_parts)
    return html.page(
        "form.html" if is_open else "receipt.html",
        next((error.status for error in (refused, talk.refused) if error), 200),
        referrer=referrer,
        organization=organization,
        title=f"{_headline(opened)}: {approval.subject}",
        approval=approval,
        opened=opened,
        facts=stated,
        rows=all_parts[part - 1],
        part=part,
        parts=len(all_parts),
        whole=whole,
        next_part="" if whole else reading.query(part + 1),
        standing=standing(approval, now=now),
        by_rule=by_rule(approval),
        ended="" if approval.pending else how_it_ended(approval),
        left=html.in_words(approval.expires_at - now),
        nonce=reading.nonce(whole=whole) if is_open else "",
        max_comment=text.MAX_COMMENT,
        problem=html.problem(refused) if refused and not turn.of else "",
        turn=turn,
        whose={"stages": [], "handed_over": [], **whose_turn(approval)},
        votes_by_stage=votes_by_stage(approval),
        next_step=next_step(approval),
        given={**_NOTHING_GIVEN, **(form or {})},
        inputs=inputs_of(approval, given=form, refused=refused) if is_open and whole else None,
        filled_in=partial(filled_in, approval, sent=not all_shown),
        changed=changed_values(approval, sent=not all_shown),
        **talk.values(opened, reading, now),
        **more,
    )


def _headline(opened: Opened) -> str:
    """What the page is, in a word or two."""
    vote = opened.vote
    if opened.state == "answered" and vote is not None:
        return f"You {vote.decision}"
    words = {"open": "Approve", "onlooker": "Request", "expired": "Time is up"}
    return words.get(opened.state, end_in_a_word(opened.approval))
