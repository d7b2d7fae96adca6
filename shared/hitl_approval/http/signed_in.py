"""The pages of signed-in people: what awaits them, what was decided, and each approval.

Whoever comes here has been signed in by API Gateway's authorizer or, where the deployment has a
sign-in of its own, by `sign_in`; the routes do not exist without either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from hitl_approval.contract import SIGN_IN_ROUTES, Route
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
from hitl_approval.domain.link import is_nonce
from hitl_approval.http import approval_page, html, json_api
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_CURSOR
from hitl_approval.http.identity import BY_EMAIL, SignIn, signed_in
from hitl_approval.http.sign_in import BrowserSignIn, Visitor, redirect
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
    browser: BrowserSignIn | None = None,
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0).

    A route below `/v1` is answered in JSON whatever happens, every other one by a page.

    Args:
        event: of a route of `contract.SIGNED_IN_ROUTES` or `contract.SIGN_IN_ROUTES`.
        service: gives what decides in this deployment.
        sign_in: how this deployment knows who has signed in.
        page_url: where the deployment says that its pages are reached.
        browser: signs browsers in. Default: an authorizer of API Gateway does, which can be
            believed.
    """
    method, _, path = event["routeKey"].partition(" ")
    if path.startswith("/v1/"):
        return json_api.respond(event, lambda: signed_in(event, sign_in), service)

    def act() -> dict[str, Any]:
        if browser is None:
            visitor = _by_authorizer(event, sign_in)
        else:
            now = service().clock.now()
            if path in SIGN_IN_ROUTES:
                return browser.answer(method, path, event, now)
            found = browser.visitor(event, now)
            if found is None:
                return browser.refuse(method, _here(path, event))
            visitor = found
        if path == Route.HOME:
            return redirect(Route.INBOX)
        if path == Route.INBOX:
            return _inbox(event, visitor, service())
        try:
            return _approval(method, event, visitor, service(), page_url)
        except Unauthenticated:
            if browser is None:
                raise
            return browser.ask_again(_here(path, event))

    return html.answer(act, hint="Go back, or open the list of approvals again.")


def _by_authorizer(event: Mapping[str, Any], sign_in: SignIn) -> Visitor:
    try:
        return Visitor(signed_in(event, sign_in))
    except Unauthenticated as error:
        hint = f"Your sign-in does not say who you are: {error}."
        raise html.RefusedError(error.status, "Please sign in to see this", hint) from None


def _here(path: str, event: Mapping[str, Any]) -> str:
    """The address that was asked for, below our own name."""
    if path == Route.APPROVAL:
        return path.format(approval_id=_id_of(event))
    query = event.get("rawQueryString")
    return f"{Route.INBOX}?{query}" if query and path == Route.INBOX else Route.INBOX


def _id_of(event: Mapping[str, Any]) -> str:
    return str((event.get("pathParameters") or {}).get("approval_id", ""))


def _inbox(event: Mapping[str, Any], visitor: Visitor, service: DecisionService) -> dict[str, Any]:
    actor = visitor.actor
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
        title="Approvals",
        actor=actor,
        sign_out=visitor.sign_out_nonce,
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


def _approval(
    method: str,
    event: Mapping[str, Any],
    visitor: Visitor,
    service: DecisionService,
    page_url: str | None,
) -> dict[str, Any]:
    approval_id = _id_of(event)
    if not text.is_approval_id(approval_id):
        raise html.RefusedError(404, _NO_APPROVAL)
    try:
        if method == "POST":
            form = html.form_of(event, page_url=page_url, origin_required=True)
            return _decide(form, approval_id, visitor, service)
        return _show(service.get(approval_id), visitor, service)
    except ApprovalNotFound:
        raise html.RefusedError(404, _NO_APPROVAL) from None


def _decide(
    form: Mapping[str, str], approval_id: str, visitor: Visitor, service: DecisionService
) -> dict[str, Any]:
    approval = service.get(approval_id)
    if not is_nonce(form.get("nonce", ""), visitor.nonce(approval.content_digest)):
        raise html.RefusedError(403, "This form has grown old: please open the approval again")
    ended = False
    try:
        answer = service.decide(
            approval_id,
            visitor.actor,
            html.decision_of(form),
            text.comment(form.get("comments", ""), "comments"),
            content_digest=approval.content_digest,
        )
        ended = answer.workflow == "ended"
    except Unavailable:
        raise
    except (AlreadyDecided, ApprovalExpired):  # somebody else was quicker: show who
        pass
    except ApprovalError as error:
        if isinstance(error, Unauthenticated) and visitor.secret is not None:
            raise  # there is a page for it
        return _show(approval, visitor, service, refused=error, form=form)
    return _show(service.get(approval_id), visitor, service, workflow_ended=ended)


def _show(
    approval: Approval,
    visitor: Visitor,
    service: DecisionService,
    *,
    refused: ApprovalError | None = None,
    form: Mapping[str, str] | None = None,
    workflow_ended: bool = False,
) -> dict[str, Any]:
    now, actor = service.clock.now(), visitor.actor
    trail = service.history(approval.approval_id)
    return approval_page.render(
        replace(opened(approval, actor, now=now), workflow_ended=workflow_ended),
        now=now,
        nonce=visitor.nonce(approval.content_digest),
        refused=refused,
        form=form,
        referrer=_REFERRER,
        actor=actor,
        sign_out=visitor.sign_out_nonce,
        trail=[{**event, "at": parse_time(event["at"])} for event in trail.events],
        findings=trail.findings,
        messages=[m for m in service.messages_about(approval.approval_id) if m.recipient],
    )
