"""The HTTP side of personal links: GET shows, POST decides, and every answer is a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalError, Unavailable
from hitl_approval.domain.link import form_nonce, is_challenge, is_nonce
from hitl_approval.http import approval_page, html
from hitl_approval.http.errors import UnknownLink, WrongChallenge
from hitl_approval.http.links import answer_by_link, open_link
from hitl_approval.http.state import Opened
from hitl_approval.usecases.decide import DecisionService

_HINT = (
    "If it came in a message to you, open the newest message about this request, or ask whoever "
    "sent it."
)


def handle(
    event: Any, service: Callable[[], DecisionService], *, page_url: str | None = None
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0). Never raises, never logs a token.

    Args:
        event: of the route `contract.Route.LINK`.
        service: gives what decides in this deployment.
        page_url: where the deployment says that its pages are reached.
    """
    return html.answer(lambda: _answer(event, service(), page_url), hint=_HINT)


def _answer(
    event: Mapping[str, Any], service: DecisionService, page_url: str | None
) -> dict[str, Any]:
    http = event["requestContext"]["http"]
    token = (event.get("pathParameters") or {}).get("token", "")
    try:
        if http["method"] in {"GET", "HEAD"}:
            return _show(open_link(service, token), token, service)
        if http["method"] != "POST":
            raise html.RefusedError(405, "This page is opened and sent, nothing else")
        return _post(html.form_of(event, page_url=page_url), token, service)
    except UnknownLink as unknown:
        raise html.RefusedError(unknown.status, "This link does not open anything") from None


def _post(form: Mapping[str, str], token: str, service: DecisionService) -> dict[str, Any]:
    opened = open_link(service, token)
    if opened.state != "open":
        return _show(opened, token, service)
    nonce = form_nonce(token, opened.approval.content_digest)
    if not is_nonce(form.get("nonce", ""), nonce):
        raise html.RefusedError(403, "This form has grown old: please open your link again")
    try:
        _check_challenge(opened, form)
        answered = answer_by_link(
            service,
            token,
            html.decision_of(form),
            text.comment(form.get("comments", ""), "comments"),
            content_digest=opened.approval.content_digest,
        )
    except Unavailable:
        raise
    except ApprovalError as error:
        return _show(opened, token, service, refused=error, form=form)
    return _show(answered, token, service)


def _check_challenge(opened: Opened, form: Mapping[str, str]) -> None:
    challenge = opened.approval.challenge
    if challenge is not None and not is_challenge(form.get("challenge", ""), challenge):
        raise WrongChallenge


def _show(
    opened: Opened,
    token: str,
    service: DecisionService,
    *,
    refused: ApprovalError | None = None,
    form: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return approval_page.render(
        opened,
        now=service.clock.now(),
        nonce=form_nonce(token, opened.approval.content_digest),
        refused=refused,
        form=form,
        challenge=opened.approval.challenge is not None,
    )
