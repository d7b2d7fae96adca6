"""The HTTP side of personal links: GET shows, POST decides, and every answer is a page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hitl_approval.domain import text
from hitl_approval.domain.approval import Decision
from hitl_approval.domain.errors import ApprovalError, InvalidRequest, Unavailable
from hitl_approval.domain.link import form_nonce
from hitl_approval.service import DecisionService
from hitl_approval.web.fields import readable
from hitl_approval.web.links import Opened, UnknownLink, answer_by_link, open_link

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
"""Longest form that is parsed, in characters. Ours: the longest honest one is 30 KB."""
_FORM = "application/x-www-form-urlencoded"
_NOT_FOUND, _METHOD, _UNSUPPORTED, _FORBIDDEN = 404, 405, 415, 403


class _RefusedError(Exception):
    """A request that is not the form's own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def handle(event: Any, service: Callable[[], DecisionService]) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0). Never raises, never logs a token.

    Args:
        event: of the route `/a/{token}`.
        service: gives the answering side of this deployment.
    """
    try:
        return _answer(event, service())
    except UnknownLink as unknown:
        return _page("message.html", unknown.status, title="This link does not open anything")
    except Unavailable:
        return _page("message.html", 503, title="Not now: please try again in a moment")
    except _RefusedError as refused:
        return _page("message.html", refused.status, title=str(refused))
    except Exception as error:
        logger.exception("unexpected %s", type(error).__name__, exc_info=_without_values(error))
        return _page("message.html", 500, title="Something went wrong here: please try again")


def _answer(event: Mapping[str, Any], service: DecisionService) -> dict[str, Any]:
    http = event["requestContext"]["http"]
    token = (event.get("pathParameters") or {}).get("token", "")
    if http["method"] in {"GET", "HEAD"}:
        return _show(open_link(service, token), token, service)
    if http["method"] != "POST":
        raise _RefusedError(_METHOD, "This page is opened and sent, nothing else")
    form = _form(event)
    opened = open_link(service, token)
    if opened.state != "open":
        return _show(opened, token, service)
    nonce = form_nonce(token, opened.approval.content_digest)
    if not hmac.compare_digest(form.get("nonce", ""), nonce):
        raise _RefusedError(_FORBIDDEN, "This form has grown old: please open your link again")
    try:
        decision, comments = _decision(form), text.comment(form.get("comments", ""), "comments")
        answered = answer_by_link(
            service,
            token,
            decision,
            comments,
            content_digest=opened.approval.content_digest,
        )
    except Unavailable:
        raise
    except ApprovalError as error:
        return _show(
            opened, token, service, status=error.status, problem=_problem(error), form=form
        )
    return _show(answered, token, service)


def _form(event: Mapping[str, Any]) -> dict[str, str]:
    """The posted form.

    Raises:
        _RefusedError: another content type, another site's form, or too long.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise _RefusedError(_UNSUPPORTED, "Please use the form of this page")
    origin = headers.get("origin")
    host = event["requestContext"].get("domainName") or headers.get("host", "")
    if origin not in {None, "null"} and origin.split("//")[-1] not in {host, headers.get("host")}:
        raise _RefusedError(_FORBIDDEN, "This form was sent from another site")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise _RefusedError(_FORBIDDEN, "This form was sent from another site")
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="replace")
    if len(body) > MAX_BODY:
        raise _RefusedError(413, "That was too long")
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    return {name: values[-1] for name, values in fields.items()}


def _decision(form: Mapping[str, str]) -> Decision:
    decision = form.get("decision")
    if decision not in {"approved", "rejected"}:
        raise InvalidRequest("decision", "choose one of the two")
    return cast(Decision, decision)


def _problem(error: ApprovalError) -> str:
    """A refusal of the form, for a person."""
    if error.details.get("field") == "decision":
        return "Please choose whether to approve or to reject."
    if "must say why" in str(error):
        return "Please say why: a rejection needs a reason."
    return f"This was not accepted: {error}."


def _show(
    opened: Opened,
    token: str,
    service: DecisionService,
    *,
    status: int = 200,
    problem: str = "",
    form: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    approval = opened.approval
    return _page(
        f"{'form' if opened.state == 'open' else 'receipt'}.html",
        status,
        title=approval.subject,
        approval=approval,
        opened=opened,
        context=readable(approval.context),
        left=in_words(approval.expires_at - service.clock.now()),
        nonce=form_nonce(token, approval.content_digest) if opened.state == "open" else "",
        max_comment=text.MAX_COMMENT,
        problem=problem,
        given={"decision": "", "comments": "", **(form or {})},
    )


def in_words(delta: timedelta) -> str:
    """Time left, as a person would say it."""
    minutes = int(delta.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(said[:2])


def _page(template: str, status: int, **values: Any) -> dict[str, Any]:
    body = _templates().get_template(template).render(values)
    return {
        "statusCode": status,
        "headers": dict(_HEADERS) | {"Content-Security-Policy": _policy()},
        "body": body,
    }


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("hitl_approval.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inert"] = text.inert
    environment.filters["moment"] = _moment
    environment.globals["style"] = _style()
    return environment


@cache
def _style() -> str:
    loader = PackageLoader("hitl_approval.web")
    source, _, _ = loader.get_source(Environment(autoescape=True), "style.css")
    return source.strip()


@cache
def _policy() -> str:
    """One style, known by its digest; no script, no picture, no frame, no other site."""
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'"
    )


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _without_values(error: Exception) -> Any:
    """The traceback without the message, in which a token might stand."""
    return (Exception, Exception(type(error).__name__), error.__traceback__)
