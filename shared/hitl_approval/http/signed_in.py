"""The pages of signed-in people: what awaits them, what was decided, and each approval.

Whoever comes here has been signed in by API Gateway's authorizer or, where the deployment has a
sign-in of its own, by `sign_in`; the routes do not exist without either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import parse_time
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ApprovalExpired,
    ApprovalNotFound,
    ContentChanged,
    Unauthenticated,
    Unavailable,
)
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.thread import thread_of
from hitl_approval.domain.values import NOTHING
from hitl_approval.http import approval_page, html, inbox_page, json_api, mcp_api
from hitl_approval.http.identity import BY_EMAIL, SignIn, signed_in
from hitl_approval.http.inputs import values_of
from hitl_approval.http.reading import Reading, check_shown
from hitl_approval.http.sign_in import BrowserSignIn, redirect
from hitl_approval.http.state import Opened, opened
from hitl_approval.http.talk import Talk, is_comment, say
from hitl_approval.http.turn_forms import forms_of, sent, take
from hitl_approval.http.visitor import REFERRER, Visitor
from hitl_approval.routes import SIGN_IN_ROUTES, Route
from hitl_approval.usecases.decide import DecisionService

_NO_APPROVAL = "There is no such approval"


def handle(
    event: Any,
    service: Callable[[], DecisionService],
    *,
    sign_in: SignIn = BY_EMAIL,
    page_url: str | None = None,
    organization: Organization | None = None,
    browser: BrowserSignIn | None = None,
    agents: mcp_api.Agents | None = None,
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0).

    A route below `/v1` is answered in JSON whatever happens, the agents' route as MCP has it, and
    every other one by a page.

    Args:
        event: of a route of `routes.SIGNED_IN_ROUTES` or `routes.SIGN_IN_ROUTES`.
        service: gives what decides in this deployment.
        sign_in: how this deployment knows who has signed in.
        page_url: where the deployment says that its pages are reached.
        organization: whose page it is.
        browser: signs browsers in. Default: an authorizer of API Gateway does, which can be
            believed.
        agents: how agents are served, which have a route then. Default: they are not.
    """
    method, _, path = event["routeKey"].partition(" ")
    if path == Route.MCP and agents is not None:
        return agents.answer(event, lambda: signed_in(event, sign_in), service)
    if path.startswith("/v1/"):
        return json_api.respond(event, lambda: signed_in(event, sign_in), service)

    def act() -> dict[str, Any]:
        if browser is None:
            visit = _Visit(event, _by_authorizer(event, sign_in), service(), page_url, organization)
            return visit.answer(method, path)
        now = service().clock.now()
        if path in SIGN_IN_ROUTES:
            return browser.answer(method, path, event, now)
        visitor = browser.visitor(event, now)
        if visitor is None:
            return browser.refuse(method, _here(path, event))
        try:
            visit = _Visit(event, visitor, service(), page_url, organization)
            return visit.answer(method, path)
        except Unauthenticated:  # too old a sign-in for a decision
            return browser.ask_again(_here(path, event))

    hint = "Go back, or open the list of approvals again."
    return html.answer(act, hint=hint, organization=organization)


def _by_authorizer(event: Mapping[str, Any], sign_in: SignIn) -> Visitor:
    try:
        return Visitor.by_authorizer(signed_in(event, sign_in))
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


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of a signed-in person to a page."""

    event: Mapping[str, Any]
    visitor: Visitor
    service: DecisionService
    page_url: str | None
    organization: Organization | None

    def answer(self, method: str, path: str) -> dict[str, Any]:
        if path == Route.HOME:
            return redirect(Route.INBOX)
        form = None
        if method == "POST":
            form = html.form_of(self.event, page_url=self.page_url, origin_required=True)
        if path == Route.INBOX:
            query = self.event.get("queryStringParameters") or {}
            return inbox_page.answer(
                query, form, self.visitor, self.service, organization=self.organization
            )
        approval_id = _id_of(self.event)
        if not text.is_approval_id(approval_id):
            raise html.RefusedError(404, _NO_APPROVAL)
        try:
            if form is not None:
                act = self._decide
                if sent(form):
                    act = self._turn
                elif is_comment(form):
                    act = self._say
                return act(form, approval_id)
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
                self.visitor.actor,
                decision,
                text.comment(form.get("comments", ""), "comments"),
                content_digest=approval.content_digest,
                values=values_of(approval, form) if decision == "approved" else NOTHING,
            )
            ended = answer.workflow == "ended"
        except Unavailable:
            raise
        except ContentChanged as error:  # just now: what it is now is what is shown
            return self._show(self.service.get(approval_id), refused=error)
        except (AlreadyDecided, ApprovalExpired):  # somebody else was quicker: show who
            pass
        except ApprovalError as error:
            if isinstance(error, Unauthenticated) and self.visitor.by_browser:
                raise  # there is a page for it
            return self._show(approval, refused=error, form=form)
        return self._show(self.service.get(approval_id), workflow_ended=ended)

    def _turn(self, form: Mapping[str, str], approval_id: str) -> dict[str, Any]:
        approval = self.service.get(approval_id)
        try:
            seen = self._opened(approval, self.service.clock.now())
            take(self.service, seen, form, self._reading(approval))
        except Unavailable:
            raise
        except ApprovalError as error:
            if isinstance(error, Unauthenticated) and self.visitor.by_browser:
                raise  # there is a page for it
            return self._show(self.service.get(approval_id), refused=error, form=form)
        return self._show(self.service.get(approval_id))

    def _say(self, form: Mapping[str, str], approval_id: str) -> dict[str, Any]:
        approval = self.service.get(approval_id)
        self._reading(approval).check_comment(form)
        now = self.service.clock.now()
        try:
            notice = say(self.service, self._opened(approval, now), form, now=now)
        except Unavailable:
            raise
        except ApprovalError as error:
            return self._show(self.service.get(approval_id), unsaid=error, said=form)
        return self._show(self.service.get(approval_id), notice=notice)

    def _opened(self, approval: Approval, now: datetime) -> Opened:
        return opened(
            approval,
            self.visitor.actor,
            now=now,
            operators=self.service.operators,
            given=self.service.by_which(approval, self.visitor.actor),
        )

    def _show(
        self,
        approval: Approval,
        *,
        refused: ApprovalError | None = None,
        form: Mapping[str, str] | None = None,
        unsaid: ApprovalError | None = None,
        said: Mapping[str, str] | None = None,
        notice: str = "",
        workflow_ended: bool = False,
    ) -> dict[str, Any]:
        now, actor = self.service.clock.now(), self.visitor.actor
        trail = self.service.history(approval.approval_id)
        messages = self.service.messages_about(approval.approval_id)
        seen = replace(self._opened(approval, now), workflow_ended=workflow_ended)
        turn = forms_of(
            seen,
            self._reading(approval),
            operators=self.service.operators,
            requester_may=self.service.requests_name_approvers,
            refused=refused,
            form=form,
        )
        return approval_page.render(
            seen,
            turn=turn,
            now=now,
            reading=self._reading(approval),
            query=self.event.get("queryStringParameters"),
            refused=refused,
            form=form,
            talk=Talk(thread_of(trail.events), notice, unsaid, said),
            referrer=REFERRER,
            organization=self.organization,
            actor=actor,
            sign_out=self.visitor.sign_out_nonce,
            trail=[{**event, "at": parse_time(event["at"])} for event in trail.events],
            findings=trail.findings,
            messages=[message for message in messages if message.recipient],
        )

    def _reading(self, approval: Approval) -> Reading:
        """Of this visitor: who else has signed in sends another's form in vain."""
        secret = f"{approval.approval_id}:{self.visitor.secret}"
        return Reading(secret, approval.content_digest)
