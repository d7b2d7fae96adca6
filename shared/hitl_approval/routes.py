"""The paths of the HTTP APIs, which the construct makes and the functions answer."""

from __future__ import annotations

from typing import Final


class Route:
    """Routes of the HTTP API, as API Gateway writes them."""

    LINK: Final = "/a/{token+}"
    """The one that takes no sign-in: the token is the credential. Greedy, so that a slash that a
    mail program puts behind a link leads there, too."""
    SLACK: Final = "/slack"
    """What Slack sends; its signature is the credential."""
    HOME: Final = "/"  # leads to the inbox
    SIGN_IN: Final = "/sign-in"
    CALLBACK: Final = "/sign-in/callback"
    """Where the issuer sends a browser that has signed in."""
    SIGN_OUT: Final = "/sign-out"
    INBOX: Final = "/inbox"
    APPROVAL: Final = "/approvals/{approval_id}"
    V1_INBOX: Final = "/v1/inbox"
    V1_APPROVALS: Final = "/v1/approvals"
    V1_APPROVAL: Final = "/v1/approvals/{approval_id}"
    V1_HISTORY: Final = "/v1/approvals/{approval_id}/history"
    V1_DECISION: Final = "/v1/approvals/{approval_id}/decision"
    V1_CANCELLATION: Final = "/v1/approvals/{approval_id}/cancellation"
    V1_DELEGATION: Final = "/v1/delegation"
    V1_REASSIGNMENT: Final = "/v1/approvals/{approval_id}/reassignment"
    V1_RETRACTION: Final = "/v1/approvals/{approval_id}/retraction"
    V1_COMMENTS: Final = "/v1/approvals/{approval_id}/comments"
    V1_OPENAPI: Final = "/v1/openapi.json"
    MCP: Final = "/mcp"
    """What agents send; the authorizer says whose they are."""


SIGN_IN_ROUTES: Final = {
    Route.SIGN_IN: ("GET",),
    Route.CALLBACK: ("GET",),
    Route.SIGN_OUT: ("GET", "POST"),
}
"""Routes by which a browser signs in and out, where no authorizer of API Gateway does it."""


PAGE_ROUTES: Final = {
    Route.HOME: ("GET", "HEAD"),
    Route.INBOX: ("GET", "HEAD", "POST"),
    Route.APPROVAL: ("GET", "HEAD", "POST"),
}
"""Pages for signed-in people and their methods."""


SIGNED_IN_ROUTES: Final = {
    **PAGE_ROUTES,
    Route.V1_INBOX: ("GET",),
    Route.V1_APPROVALS: ("GET",),
    Route.V1_APPROVAL: ("GET",),
    Route.V1_HISTORY: ("GET",),
    Route.V1_DECISION: ("POST",),
    Route.V1_CANCELLATION: ("POST",),
    Route.V1_DELEGATION: ("GET", "POST", "DELETE"),
    **dict.fromkeys((Route.V1_COMMENTS, Route.V1_REASSIGNMENT, Route.V1_RETRACTION), ("POST",)),
    Route.V1_OPENAPI: ("GET",),
}
"""Routes for signed-in people and their methods: pages, and the JSON API."""


MCP_ROUTES: Final = {Route.MCP: ("POST",)}
"""Routes for agents and their methods, where the deployment has them."""


CLI_REDIRECT_URI: Final = "http://localhost:47285/callback"
"""Where an issuer sends a browser back to `hitl login`; IANA's registry has no use of the port."""
