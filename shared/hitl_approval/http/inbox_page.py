"""The inbox: what awaits somebody, the lists, and several decisions at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from hitl_approval.domain import text
from hitl_approval.domain.approval import STATUSES, Approval, Decision, Status
from hitl_approval.domain.audit import parse_time
from hitl_approval.domain.errors import (
    ApprovalError,
    ApprovalNotFound,
    InvalidRequest,
    Unavailable,
)
from hitl_approval.domain.link import is_nonce
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.rows import Row, rows
from hitl_approval.domain.standing import standing
from hitl_approval.domain.table import as_csv
from hitl_approval.http import html
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_CURSOR
from hitl_approval.http.sign_in import redirect
from hitl_approval.http.state import opened
from hitl_approval.http.visitor import REFERRER, Visitor
from hitl_approval.routes import Route
from hitl_approval.usecases import worklist
from hitl_approval.usecases.decide import SEARCHED, DecisionService, finds

MINE = "mine"
"""The list of what awaits this person; the others are named as the statuses are."""
MAX_SELECTED = 25
"""Decisions of one form: each takes up to a second, and all must end in one invocation."""
MAX_CARD = 400
"""Characters of a request's fields that a list shows whole; more is read on its own page."""
MAX_CARD_ROWS = 6
"""Fields that a list shows whole."""
_PICK = "pick-"
_TOO_LONG = "The list does not show all of it: open it to approve it."
_CHANGED = "It is not what the list showed any more: open it again."


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which list, and what of it."""

    shown: str
    search: str | None
    cursor: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> _Asked:
        shown = query.get("show", MINE)
        if shown not in {MINE, *STATUSES}:
            raise html.RefusedError(404, "There is no such list")
        cursor, search = query.get("cursor"), query.get("q", "").strip()
        return cls(
            shown,
            text.line(search, "q") if search else None,
            None if cursor is None else text.line(cursor, "cursor", maximum=MAX_CURSOR),
        )

    def query(self, **more: str) -> str:
        """Of the address of this list."""
        return urlencode(
            {"show": self.shown, **({"q": self.search} if self.search else {}), **more}
        )


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one of several decisions."""

    approval_id: str
    subject: str
    done: bool
    said: str


def answer(
    query: Mapping[str, str],
    form: Mapping[str, str] | None,
    visitor: Visitor,
    service: DecisionService,
    *,
    organization: Organization | None = None,
) -> dict[str, Any]:
    """Answer one request of the inbox's route.

    Args:
        query: of its address.
        form: that was posted; None if it is only opened.
        visitor: who has signed in.
        service: decides in this deployment.
        organization: whose page it is.

    Raises:
        RefusedError: there is no such list, or too many were selected.
        ApprovalError: the list could not be read.
    """
    inbox = _Inbox(_Asked.of(query), visitor, service, organization)
    if form is not None:
        return inbox.decide(form)
    if query.get("format") == "csv":
        return inbox.export()
    return inbox.found_by_id() or inbox.show()


@dataclass(frozen=True, slots=True)
class _Inbox:
    asked: _Asked
    visitor: Visitor
    service: DecisionService
    organization: Organization | None

    def found_by_id(self) -> dict[str, Any] | None:
        """The approval whose whole id is searched for, whatever its status."""
        wanted = self.asked.search
        if wanted is None or not text.is_approval_id(wanted):
            return None
        try:
            self.service.get(wanted)
        except ApprovalNotFound:
            return None
        return redirect(Route.APPROVAL.format(approval_id=wanted))

    def show(self, *, problem: str = "", given: Mapping[str, str] | None = None) -> dict[str, Any]:
        to_answer = worklist.awaiting(self.service, self.visitor.actor.name)
        page = self._page(to_answer)
        listed = [self._row(item) for item in page.items]
        shown = [row for row in listed if row is not None]
        return self._render(
            "inbox.html",
            400 if problem else 200,
            shown=self.asked.shown,
            lists=(MINE, *STATUSES),
            awaits=f"{len(to_answer.items):,}{'' if to_answer.complete else '+'}",
            total=page.total,
            by_urgency=page.by_urgency,
            most=SEARCHED,
            search=self.asked.search or "",
            rows=shown,
            selectable=any(row["nonce"] for row in shown),
            here=self.asked.query(**({"cursor": self.asked.cursor} if self.asked.cursor else {})),
            following=self.asked.query(cursor=page.cursor) if page.cursor else "",
            export=self.asked.query(format="csv"),
            first=self.asked.cursor is None,
            problem=problem,
            given={"decision": "", "comments": "", **(given or {})},
            max_comment=text.MAX_COMMENT,
        )

    def export(self) -> dict[str, Any]:
        """The list as a file for a spreadsheet."""
        shown, search = self.asked.shown, self.asked.search
        if shown == MINE:
            found = worklist.awaiting(self.service, self.visitor.actor.name)
            items: Sequence[Mapping[str, Any]] = [
                {"status": "pending", **item} for item in found.items if finds(search, item)
            ]
            complete, most = found.complete, SEARCHED
        else:
            items, complete = worklist.export(self.service, cast(Status, shown), search=search)
            most = worklist.EXPORTED
        note = "" if complete else f"Only the first {most:,} were read."
        headers = html.HEADERS | {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="approvals-{shown}.csv"',
        }
        return {"statusCode": 200, "headers": headers, "body": as_csv(items, note=note)}

    def decide(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Decide each that was selected by itself, and say what became of each."""
        selected = {
            name.removeprefix(_PICK): nonce for name, nonce in form.items() if name[:5] == _PICK
        }
        if len(selected) > MAX_SELECTED:
            raise html.RefusedError(400, f"Please select at most {MAX_SELECTED} at once")
        if not selected:
            return self.show(problem="Please select at least one request.", given=form)
        try:
            decision = html.decision_of(form)
            comments = text.comment(form.get("comments", ""), "comments")
        except InvalidRequest as refused:
            return self.show(problem=html.problem(refused), given=form)
        results = [
            self._decide_one(approval_id, nonce, decision, comments)
            for approval_id, nonce in selected.items()
        ]
        return self._render(
            "decided.html",
            200,
            title=f"{sum(result.done for result in results)} of {len(results)} {decision}",
            decision=decision,
            results=results,
            here=self.asked.query(),
        )

    def _decide_one(
        self, approval_id: str, nonce: str, decision: Decision, comments: str
    ) -> _Result:
        subject = approval_id
        try:
            approval = self.service.get(approval_id)
            subject = approval.subject
            if not is_nonce(nonce, _nonce(self.visitor, approval)):
                return _Result(approval_id, subject, done=False, said=_CHANGED)
            if decision == "approved" and card(approval) is None:
                return _Result(approval_id, subject, done=False, said=_TOO_LONG)
            answered = self.service.decide(
                approval_id,
                self.visitor.actor,
                decision,
                comments,
                content_digest=approval.content_digest,
            )
        except ApprovalNotFound:
            return _Result(approval_id, subject, done=False, said="There is no such approval.")
        except Unavailable:
            said = "It was not taken now: please try it again in a moment."
            return _Result(approval_id, subject, done=False, said=said)
        except ApprovalError as error:
            return _Result(approval_id, subject, done=False, said=html.problem(error))
        said = f"{standing(answered.approval)}."
        if answered.workflow == "ended":
            said += " The workflow that asked has ended and will not act on it."
        return _Result(approval_id, subject, done=True, said=said)

    def _page(self, to_answer: worklist.Awaiting) -> worklist.Worklist:
        asked, service = self.asked, self.service
        where: Any = {"limit": DEFAULT_LIMIT, "cursor": asked.cursor, "search": asked.search}
        if asked.shown == MINE:
            return worklist.mine(service, self.visitor.actor.name, **where)
        if asked.shown == "pending":
            return worklist.pending(service, to_answer, **where)
        page = service.list_by_status(cast(Status, asked.shown), **where)
        return worklist.Worklist(page.items, page.cursor)

    def _row(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """A line of a list; None for what an inbox still has and nobody can answer any more."""
        now = self.service.clock.now()
        expires_at, created_at = parse_time(item["expires_at"]), parse_time(item["created_at"])
        decided_at = item.get("decided_at")
        row = {
            "decided_by": None,
            "document_id": None,
            **item,
            "pending": item.get("status", "pending") == "pending",
            "expires_at": expires_at,
            "created_at": created_at,
            "left": html.in_words(expires_at - now),
            "age": html.in_words(now - created_at),
            "decided_at": parse_time(decided_at) if decided_at else None,
            "nonce": "",
            "mine": False,
            "on_behalf_of": None,
            "standing": "",
            "card": None,
        }
        if not row["pending"]:
            return row
        try:
            approval = self.service.get(item["approval_id"])
        except ApprovalNotFound:
            return None
        except ApprovalError:  # its own page says what is wrong with it
            return row
        return self._with_record(row, approval, now)

    def _with_record(
        self, row: dict[str, Any], approval: Approval, now: datetime
    ) -> dict[str, Any] | None:
        actor = self.visitor.actor
        state = opened(approval, actor, now=now, given=self.service.by_which(approval, actor))
        if self.asked.shown == MINE and not state.may_answer:
            return None  # the list follows the record by a moment
        row |= {"standing": standing(approval, now=now), "document_id": approval.document_id}
        if state.may_answer:
            row |= {
                "mine": True,
                "nonce": _nonce(self.visitor, approval),
                "card": card(approval),
                "on_behalf_of": state.on_behalf_of,
            }
        return row

    def _render(self, template: str, status: int, **values: Any) -> dict[str, Any]:
        values.setdefault("title", "Approvals")
        return html.page(
            template,
            status,
            referrer=REFERRER,
            organization=self.organization,
            actor=self.visitor.actor,
            sign_out=self.visitor.sign_out_nonce,
            **values,
        )


def card(approval: Approval) -> Sequence[Row] | None:
    """All fields of a request where a list has room for them; None where it does not show all.

    What is called sensitive is not in a list; what has parts of its own, a form to fill in, is
    about files or replaces another request is read by itself.
    """
    by_itself = (approval.sensitive, approval.files, approval.supersedes, approval.form)
    if any(by_itself):
        return None
    found = tuple(rows(json.loads(approval.context)))
    size = sum(len(row.name) + len(row.value) for row in found)
    plain = all(row.kind == "text" for row in found)
    return found if plain and len(found) <= MAX_CARD_ROWS and size <= MAX_CARD else None


def _nonce(visitor: Visitor, approval: Approval) -> str:
    """What selecting a request brings along: bound to the visitor, to it and to its content."""
    return visitor.nonce(f"select:{approval.approval_id}:{approval.content_digest}")
