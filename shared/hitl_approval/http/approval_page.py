"""One approval as a page: the form where it is open to this person, else what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.http import html
from hitl_approval.http.fields import readable
from hitl_approval.http.state import Opened

_NOTHING_GIVEN = {"decision": "", "comments": "", "challenge": ""}


def render(
    opened: Opened,
    *,
    now: datetime,
    nonce: str,
    refused: ApprovalError | None = None,
    form: Mapping[str, str] | None = None,
    referrer: str = "no-referrer",
    **more: Any,
) -> dict[str, Any]:
    """The page, as an HTTP API takes it.

    Args:
        opened: the approval, and whether its form is open to this person.
        now: the time.
        nonce: what the form sends back, to show what it was filled in for.
        refused: why the form that was sent was not accepted.
        form: what was sent with it, to be shown again.
        referrer: see `html.page`.
        **more: what only one kind of visitor sees.
    """
    approval, is_open = opened.approval, opened.state == "open"
    return html.page(
        "form.html" if is_open else "receipt.html",
        refused.status if refused else 200,
        referrer=referrer,
        title=approval.subject,
        approval=approval,
        opened=opened,
        context=readable(approval.context),
        left=html.in_words(approval.expires_at - now),
        nonce=nonce if is_open else "",
        max_comment=text.MAX_COMMENT,
        problem=html.problem(refused) if refused else "",
        given={**_NOTHING_GIVEN, **(form or {})},
        **more,
    )
