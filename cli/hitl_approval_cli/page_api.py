"""The JSON API of a deployment's page, called as who has signed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from hitl_approval.routes import Route
from hitl_approval_cli.errors import TransientError
from hitl_approval_cli.sessions import Session

DECISIONS: Final[Mapping[str, str]] = {
    "decide": Route.V1_DECISION,
    "cancel": Route.V1_CANCELLATION,
    "delegate": Route.V1_DELEGATION,
    "delegation": Route.V1_DELEGATION,
    "end_delegation": Route.V1_DELEGATION,
    "reassign": Route.V1_REASSIGNMENT,
    "retract": Route.V1_RETRACTION,
    "comment": Route.V1_COMMENTS,
}
"""Action -> the route that does it for who is signed in."""
METHODS: Final[Mapping[str, str]] = {"delegation": "GET", "end_delegation": "DELETE"}
"""Of actions that are no POST: what they say is the query."""
_TIMEOUT: Final = 60.0
"""Seconds; API Gateway answers within 30."""
_HERE: Final = ".localhost"


def call_page(session: Session, payload: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Do what a payload says, under the identity of a sign-in.

    Args:
        session: whose.
        payload: of the approval function, without who decides: the sign-in says it.

    Returns:
        The status, and the body as the approval function has it; empty if it is something else.

    Raises:
        TransientError: the page was not reached.
    """
    fields = {k: v for k, v in payload.items() if k not in {"action", "approval_id"}}
    approval_id = quote(payload.get("approval_id", ""), safe="")
    method = METHODS.get(payload["action"], "POST")
    path = DECISIONS[payload["action"]].replace("{approval_id}", approval_id)
    headers = {"Authorization": f"Bearer {session.token}", "Content-Type": "application/json"}
    if method == "POST":
        status, read = _send(session.page_url, method, path, headers, json.dumps(fields))
    else:
        path = f"{path}?{urlencode(fields)}"
        status, read = _send(session.page_url, method, path, headers)
    try:
        body = json.loads(read)
    except ValueError:
        body = {}
    return status, body if isinstance(body, dict) else {}


def fetch(page_url: str, path: str) -> tuple[int, str]:
    """Open a path of a page as a browser would, without any sign-in; the status and the text.

    Raises:
        TransientError: the page was not reached.
    """
    status, read = _send(page_url, "GET", path, {})
    return status, read.decode(errors="replace")


def _send(
    page_url: str, method: str, path: str, headers: Mapping[str, str], body: str | None = None
) -> tuple[int, bytes]:
    page = urlsplit(page_url)
    name = page.hostname or ""
    # The local cloud's names are this machine's, whatever its resolver makes of them.
    host = f"127.0.0.1:{page.port}" if name.endswith(_HERE) else page.netloc
    make = HTTPSConnection if page.scheme == "https" else HTTPConnection
    connection = make(host, timeout=_TIMEOUT)
    try:
        connection.request(method, page.path + path, body, {"Host": page.netloc, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        msg = f"{page.hostname} was not reached ({type(error).__name__}): try again"
        raise TransientError(msg, code="NOT_REACHED") from None
    finally:
        connection.close()
