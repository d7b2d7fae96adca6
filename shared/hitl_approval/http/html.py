"""What every page has in common: headers, templates, and how a posted form is read."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hitl_approval.domain import text
from hitl_approval.domain.approval import Decision
from hitl_approval.domain.errors import (
    ApprovalError,
    CommentRequired,
    ContentChanged,
    Unavailable,
    ValuesRefused,
)
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.trail_words import actor_in_words
from hitl_approval.domain.trail_words import in_words as turn_in_words
from hitl_approval.http.errors import ChoiceMissing, NotShown, WrongChallenge
from hitl_approval.http.values import diff_lines, linked

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
"""Longest form that is parsed, in characters; the longest honest one is 30 KB."""
MAX_FIELDS = 40
"""Fields of a form that are parsed; the honest ones have four, with 20 to fill in and 10 to change
34, and the list's 27."""
_FORM = "application/x-www-form-urlencoded"


class RefusedError(Exception):
    """A request that is not the page's own.

    Attributes:
        status: HTTP status code.
        hint: what the person can do, where that is not what they can always do.
    """

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


def answer(
    act: Callable[[], dict[str, Any]], *, hint: str, organization: Organization | None = None
) -> dict[str, Any]:
    """What `act` answers, or a page that says why not. Never raises, never logs a value.

    Args:
        act: answers, or raises.
        hint: what a person can do when it raises.
        organization: whose page it is.
    """
    try:
        return act()
    except Unavailable:
        status, title = 503, "Not now: please try again in a moment"
    except ApprovalError as error:
        status, title = error.status, f"This was not accepted: {error}"
    except RefusedError as refused:
        status, title, hint = refused.status, str(refused), refused.hint or hint
    except Exception as error:  # the person gets a page, never a stack trace
        logger.exception("unexpected %s", type(error).__name__, exc_info=_without_values(error))
        status, title = 500, "Something went wrong here: please try again"
    return page("message.html", status, organization=organization, title=title, hint=hint)


def page(
    template: str,
    status: int,
    *,
    referrer: str = "no-referrer",
    organization: Organization | None = None,
    **values: Any,
) -> dict[str, Any]:
    """A page of ours, as an HTTP API takes it.

    Args:
        template: its name.
        status: of the answer.
        referrer: where browsers send the page's address; with `no-referrer`, which a secret
            address needs, browsers do not say either which site has sent a form.
        organization: whose page it is.
        **values: for the template.
    """
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(organization),
        "Referrer-Policy": referrer,
    }
    shown = {"organization": organization, "icon": _icon(organization), **values}
    body = _templates().get_template(template).render(style=_style(organization), **shown)
    return {"statusCode": status, "headers": HEADERS | headers, "body": body}


def form_of(
    event: Mapping[str, Any], *, page_url: str | None, origin_required: bool = False
) -> dict[str, str]:
    """The posted form.

    Args:
        event: of an HTTP API.
        page_url: where the deployment says that its pages are reached; None where it does not.
        origin_required: whether the browser must say that this site's own page has sent it.

    Raises:
        RefusedError: another content type, another site's form, too long, or not a form at all.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise RefusedError(415, "Please use the form of this page")
    hosts = (event["requestContext"].get("domainName"), headers.get("host"))
    if not _is_own(headers, hosts, page_url, origin_required=origin_required):
        raise RefusedError(403, "This form was sent from another site")
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body).decode(errors="replace")
        if len(body) > MAX_BODY:
            raise RefusedError(413, "That was too long")
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise RefusedError(400, "Please use the form of this page") from None
    return {name: values[-1] for name, values in fields.items()}


def _is_own(
    headers: Mapping[str, str],
    hosts: Iterable[str | None],
    page_url: str | None,
    *,
    origin_required: bool,
) -> bool:
    """Whether the browser says that a page of ours has sent the form, or an old one nothing.

    `Sec-Fetch-Site` is its own comparison, under the name by which it has reached us: behind a
    proxy the API sees another host.
    """
    site = headers.get("sec-fetch-site", "none")
    if site != "none":
        return site == "same-origin"
    origin = headers.get("origin", "null")
    if origin == "null":
        return not origin_required
    own = {f"{scheme}://{host}" for scheme in ("https", "http") for host in hosts if host}
    return origin in own or (page_url is not None and origin == _origin(page_url))


def _origin(url: str) -> str:
    """The origin of an address, as browsers spell it."""
    scheme, host, *_ = urlsplit(url.lower())
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def decision_of(form: Mapping[str, str]) -> Decision:
    """The explicit choice.

    Raises:
        ChoiceMissing: none was made.
    """
    decision = form.get("decision")
    if decision not in {"approved", "rejected"}:
        raise ChoiceMissing
    return cast(Decision, decision)


def problem(error: ApprovalError) -> str:
    """A refusal of the form, for a person."""
    if isinstance(error, ChoiceMissing):
        return "Please choose whether to approve or to reject."
    if isinstance(error, WrongChallenge):
        return "That is not the code of this request: it stands in the other message about it."
    if isinstance(error, NotShown):
        return "You were shown a part of this only. Read on to the end, and approve it there."
    if isinstance(error, CommentRequired):
        return "Please say why: a rejection needs a reason."
    if isinstance(error, ValuesRefused):
        return "Nothing was sent: please correct the fields that are marked below."
    if isinstance(error, ContentChanged):
        return "It was changed just now. Please read it again, as it is now."
    return f"This was not accepted: {error}."


def in_words(delta: timedelta) -> str:
    """Time left, as a person would say it."""
    minutes = int(delta.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(said[:2])


HEADERS = {
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
        loader=PackageLoader("hitl_approval.http"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inert"] = text.inert
    environment.filters["listed"] = text.listed
    environment.filters["listed_some"] = text.listed_some
    environment.filters["moment"] = _moment
    environment.filters["turn_in_words"] = turn_in_words
    environment.filters["actor_in_words"] = actor_in_words
    environment.filters["linked"] = linked
    environment.filters["diff_lines"] = diff_lines
    return environment


@cache
def _style(organization: Organization | None) -> str:
    """The style sheet, in the organization's color where it has one."""
    loader = PackageLoader("hitl_approval.http")
    source, _, _ = loader.get_source(Environment(autoescape=True), "style.css")
    if organization is None or organization.color is None:
        return source.strip()
    colors = (organization.color, organization.dark_color)
    light, dark = (f":root {{ --act: {color}; }}" for color in colors)
    return f"{source.strip()}\n{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"


@cache
def _policy(organization: Organization | None) -> str:
    """One style, known by its digest; pictures in the page itself; no script, no other site."""
    style = base64.b64encode(hashlib.sha256(_style(organization).encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def _icon(organization: Organization | None) -> str:
    """A tick in the page's color, as an address that holds it whole."""
    color = (organization and organization.color) or "#1450b4"
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
        f'<rect width="16" height="16" rx="3" fill="{color}"/>'
        f'<path d="M4 8.5l3 3 5-6.5" fill="none" stroke="#fff" stroke-width="2"/></svg>'
    )
    return f"data:image/svg+xml,{quote(picture)}"


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _without_values(error: Exception) -> Any:
    """The traceback without the message, in which a token might stand."""
    return (Exception, Exception(type(error).__name__), error.__traceback__)
