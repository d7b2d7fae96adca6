"""The HTTP side of personal links: GET shows, POST decides, and every answer is a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalError, ContentChanged, Unavailable
from hitl_approval.domain.link import BEHIND_A_LINK, is_challenge
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.values import NOTHING
from hitl_approval.http import approval_page, html
from hitl_approval.http.errors import UnknownLink, WrongChallenge
from hitl_approval.http.inputs import values_of
from hitl_approval.http.links import answer_by_link, open_link
from hitl_approval.http.reading import Reading, check_shown
from hitl_approval.http.state import Opened
from hitl_approval.http.talk import Talk, is_comment, say
from hitl_approval.http.turn_forms import forms_of, sent, take
from hitl_approval.usecases.decide import DecisionService

_HINT = (
    "If it came in a message to you, open the newest message about this request, or ask whoever "
    "sent it."
)


def handle(
    event: Any,
    service: Callable[[], DecisionService],
    *,
    page_url: str | None = None,
    organization: Organization | None = None,
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0). Never raises, never logs a token.

    Args:
        event: of the route `routes.Route.LINK`.
        service: gives what decides in this deployment.
        page_url: where the deployment says that its pages are reached.
        organization: whose page it is.
    """

    def act() -> dict[str, Any]:
        return _Visit(event, service(), page_url, organization).answer()

    return html.answer(act, hint=_HINT, organization=organization)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request to the page of a link."""

    event: Mapping[str, Any]
    service: DecisionService
    page_url: str | None
    organization: Organization | None

    @property
    def token(self) -> str:
        """Of the link, without what mail programs take for a part of it."""
        found = (self.event.get("pathParameters") or {}).get("token", "")
        return found.rstrip(BEHIND_A_LINK) if isinstance(found, str) else ""

    def answer(self) -> dict[str, Any]:
        method = self.event["requestContext"]["http"]["method"]
        try:
            if method in {"GET", "HEAD"}:
                return self._show(open_link(self.service, self.token))
            if method != "POST":
                raise html.RefusedError(405, "This page is opened and sent, nothing else")
            return self._post(html.form_of(self.event, page_url=self.page_url))
        except UnknownLink as unknown:
            raise html.RefusedError(unknown.status, "This link does not open anything") from None

    def _post(self, form: Mapping[str, str]) -> dict[str, Any]:
        opened = open_link(self.service, self.token)
        if sent(form):
            return self._turn(opened, form)
        if is_comment(form):
            return self._say(opened, form)
        if opened.state != "open":
            return self._show(opened)
        whole = self._reading(opened).check(form)
        try:
            decision = html.decision_of(form)
            check_shown(decision, whole=whole)
            _check_challenge(opened, form)
            answered = answer_by_link(
                self.service,
                self.token,
                decision,
                text.comment(form.get("comments", ""), "comments"),
                content_digest=opened.approval.content_digest,
                values=values_of(opened.approval, form) if decision == "approved" else NOTHING,
            )
        except Unavailable:
            raise
        except ContentChanged as error:  # just now: what it is now is what is shown
            return self._show(open_link(self.service, self.token), refused=error)
        except ApprovalError as error:
            return self._show(opened, refused=error, form=form)
        return self._show(answered)

    def _turn(self, opened: Opened, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            _check_challenge(opened, form)
            take(self.service, opened, form, self._reading(opened))
        except Unavailable:
            raise
        except ApprovalError as error:
            return self._show(open_link(self.service, self.token), refused=error, form=form)
        return self._show(open_link(self.service, self.token))

    def _say(self, opened: Opened, form: Mapping[str, str]) -> dict[str, Any]:
        self._reading(opened).check_comment(form)
        try:
            _check_challenge(opened, form)
            notice = say(self.service, opened, form, now=self.service.clock.now())
        except Unavailable:
            raise
        except ApprovalError as error:
            return self._show(open_link(self.service, self.token), unsaid=error, said=form)
        return self._show(open_link(self.service, self.token), notice=notice)

    def _show(
        self,
        opened: Opened,
        *,
        refused: ApprovalError | None = None,
        form: Mapping[str, str] | None = None,
        unsaid: ApprovalError | None = None,
        said: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> dict[str, Any]:
        return approval_page.render(
            opened,
            now=self.service.clock.now(),
            reading=self._reading(opened),
            query=self.event.get("queryStringParameters"),
            turn=forms_of(opened, self._reading(opened), refused=refused, form=form),
            refused=refused,
            form=form,
            talk=Talk(self.service.thread(opened.approval), notice, unsaid, said),
            organization=self.organization,
            challenge=opened.approval.challenge is not None,
        )

    def _reading(self, opened: Opened) -> Reading:
        return Reading(self.token, opened.approval.content_digest)


def _check_challenge(opened: Opened, form: Mapping[str, str]) -> None:
    challenge = opened.approval.challenge
    if challenge is not None and not is_challenge(form.get("challenge", ""), challenge):
        raise WrongChallenge
