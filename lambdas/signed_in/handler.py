"""The function for signed-in people: their inbox, each approval, and the JSON API."""

from __future__ import annotations

from typing import Any

from hitl_approval.adapters.system import SystemSecrets
from hitl_approval.http.identity import SignIn
from hitl_approval.http.mcp_api import Agents
from hitl_approval.http.sign_in import BrowserSignIn
from hitl_approval.http.signed_in import handle
from hitl_approval.settings import settings
from hitl_approval.wiring import decision_service, session_mac, sign_in_issuer, workflow_starter


def handler(event: Any, _: object) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    by = SignIn(settings().sign_in_claim, settings().personal_sessions)
    page_url, issuer = settings().page_url, sign_in_issuer()
    browser = None
    if issuer is not None and page_url is not None:
        browser = BrowserSignIn(
            issuer=issuer,
            mac=session_mac(),
            secrets=SystemSecrets(),
            page_url=page_url,
            by=by,
            max_age=settings().sign_in_max_age,
            organization=settings().organization,
        )
    return handle(
        event,
        decision_service,
        sign_in=by,
        page_url=page_url,
        organization=settings().organization,
        browser=browser,
        agents=_agents(),
    )


def _agents() -> Agents | None:
    starter, known = workflow_starter(), settings()
    if starter is None:
        return None
    return Agents(starter=starter, page_url=known.page_url, inbox_url=known.inbox_url)
