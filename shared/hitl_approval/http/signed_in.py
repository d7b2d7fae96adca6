"""The pages of signed-in people: what awaits them, what was decided, and each approval.

API Gateway's authorizer has signed in whoever comes here; the routes do not exist without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode

from hitl_approval.contract import Route
from hitl_approval.domain import text
from hitl_approval.domain.approval import STATUSES, Approval, Status
from hitl_approval.domain.audit import Actor, parse_time
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ApprovalExpired,
    ApprovalNotFound,
    Unauthenticated,
    Unavailable,
)
from hitl_approval.domain.organization import Organization
from hitl_approval.http import approval_page, html, json_api
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_CURSOR
from hitl_approval.http.identity import BY_EMAIL, SignIn, signed_in
from hitl_approval.http.reading import Reading, check_shown
from hitl_approval.http.state import opened
from hitl_approval.ports import Page
from hitl_approval.usecases.decide import DecisionService

_REFERRER = "same-origin"
"""No secret is in these addresses, and a browser must say that our own page has sent a form."""
_NO_APPROVAL = "There is no such approval"
MINE = "mine"
"""The list of what awaits this person; the others are named as the statuses are."""


def handle(
    event: Any,
    service: Callable[[], DecisionService],
    *,
    sign_in: SignIn = BY_EMAIL,
    page_url: str | None = None,
    organization: Organization | None = None,
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0) whose authorizer can be believed.

    A route below `/v1` is answered in JSON whatever happens, every other one by a page.

    Args:
        event: of a route of `contract.SIGNED_IN_ROUTES`.
        service: gives what decides in this deployment.
        sign_in: how this deployment knows who has signed in.
        page_url: where the deployment says that its pages are reached.
        organization: whose page it is.
    """
    method, _, path = event["routeKey"].partition(" ")

    def who() -> Actor:
        return signed_in(event, sign_in)

    def act() -> dict[str, Any]:
        try:
            actor = who()
        except Unauthenticated as error:
            hint = f"Your sign-in does not say who you are: {error}."
            raise html.RefusedError(error.status, "Please sign in to see this", hint) from None
        if path == Route.INBOX:
            return _inbox(event, actor, service(), organization)
        return _Visit(event, actor, service(), page_url, organization).answer(method)

    if path.startswith("/v1/"):
        return json_api.respond(event, who, service)
    hint = "Go back, or open the list of approvals again."
    return html.answer(act, hint=hint, organization=organization)


def _inbox(
    event: Mapping[str, Any],
    actor: Actor,
    service: DecisionService,
    organization: Organization | None,
) -> dict[str, Any]:
    asked = event.get("queryStringParameters") or {}
    shown = asked.get("show", MINE)
    if shown not in {MINE, *STATUSES}:
        raise html.RefusedError(404, "There is no such list")
    search = {field: asked[field] for field in ("requester", "subject") if asked.get(field)}
    if shown == MINE:
        search = {}
    page = _page_of(service, shown, actor, asked.get("cursor"), search)
    following = ""
    if page.cursor is not None:
        following = urlencode({"show": shown, **search, "cursor": page.cursor})
    return html.page(
        "inbox.html",
        200,
        referrer=_REFERRER,
        organization=organization,
        title="Approvals",
        actor=actor,
        shown=shown,
        lists=(MINE, *STATUSES),
        search={"requester": "", "subject": "", **search},
        rows=[_row(item, service) for item in page.items],
        following=following,
        first="cursor" not in asked,
    )


def _page_of(
    service: DecisionService,
    shown: str,
    actor: Actor,
    cursor: str | None,
    search: Mapping[str, str],
) -> Page:
    if cursor is not None:
        cursor = text.line(cursor, "cursor", maximum=MAX_CURSOR)
    if shown == MINE:
        return service.awaiting(actor.name, limit=DEFAULT_LIMIT, cursor=cursor)
    checked = {field: text.line(value, field) for field, value in search.items()}
    return service.list_by_status(
        cast(Status, shown),
        limit=DEFAULT_LIMIT,
        cursor=cursor,
        requester=checked.get("requester"),
        subject=checked.get("subject"),
    )


def _row(item: Mapping[str, Any], service: DecisionService) -> dict[str, Any]:
    """A line of a list; what awaits somebody has no status of its own."""
    pending = item.get("status", "pending") == "pending"
    expires_at = parse_time(item["expires_at"])
    decided_at = item.get("decided_at")
    return {
        **item,
        "pending": pending,
        "expires_at": expires_at,
        "left": html.in_words(expires_at - service.clock.now()),
        "decided_at": parse_time(decided_at) if decided_at else None,
    }


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of a signed-in person to the page of an approval."""

    event: Mapping[str, Any]
    actor: Actor
    service: DecisionService
    page_url: str | None
    organization: Organization | None

    def answer(self, method: str) -> dict[str, Any]:
        approval_id = (self.event.get("pathParameters") or {}).get("approval_id", "")
        if not text.is_approval_id(approval_id):
            raise html.RefusedError(404, _NO_APPROVAL)
        try:
            if method == "POST":
                form = html.form_of(self.event, page_url=self.page_url, origin_required=True)
                return self._decide(form, approval_id)
            return self._show(self.service.get(approval_id))
        except ApprovalNotFound:
            raise html.RefusedError(404, _NO_APPROVAL) from None

    def _decide(self, form: Mapping[str, str], approval_id: str) -> dict[str, Any]:
        approval = self.service.get(approval_id)
        whole = self._reading(approval).check(form)
        ended = False
        try:
            decision = html.decision_of(form)
            check_shown(decision, whole=whole)
            answer = self.service.decide(
                approval_id,
                self.actor,
                decision,
                text.comment(form.get("comments", ""), "comments"),
                content_digest=approval.content_digest,
            )
            ended = answer.workflow == "ended"
        except Unavailable:
            raise
        except (AlreadyDecided, ApprovalExpired):  # somebody else was quicker: show who
            pass
        except ApprovalError as error:
            return self._show(approval, refused=error, form=form)
        return self._show(self.service.get(approval_id), workflow_ended=ended)

    def _show(
        self,
        approval: Approval,
        *,
        refused: ApprovalError | None = None,
        form: Mapping[str, str] | None = None,
        workflow_ended: bool = False,
    ) -> dict[str, Any]:
        now = self.service.clock.now()
        trail = self.service.history(approval.approval_id)
        messages = self.service.messages_about(approval.approval_id)
        return approval_page.render(
            replace(opened(approval, self.actor, now=now), workflow_ended=workflow_ended),
            now=now,
            reading=self._reading(approval),
            query=self.event.get("queryStringParameters"),
            refused=refused,
            form=form,
            referrer=_REFERRER,
            organization=self.organization,
            actor=self.actor,
            trail=[{**event, "at": parse_time(event["at"])} for event in trail.events],
            findings=trail.findings,
            messages=[message for message in messages if message.recipient],
        )

    def _reading(self, approval: Approval) -> Reading:
        """Of this person: who else has signed in sends another's form in vain."""
        secret = f"{approval.approval_id}:{text.spelling(self.actor.name)}"
        return Reading(secret, approval.content_digest)
