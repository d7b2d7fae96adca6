"""Signing in with a browser, for a program: authorization code with PKCE, to a loopback address.

As RFC 8252 has it for native apps; the port is fixed, because issuers compare redirect URIs whole.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.id_token import TokenRefusedError, verify
from hitl_approval.routes import CLI_REDIRECT_URI
from hitl_approval_cli.errors import CliError

if TYPE_CHECKING:  # it draws pages, for which the command has no templates
    from hitl_approval.http.sign_in import Issuer

PATIENCE: Final = 300.0
"""Seconds that somebody has to sign in."""
_CODE: Final = "NOT_SIGNED_IN"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What an issuer says of who has signed in.

    Attributes:
        name: to be shown: the address, or else the subject.
        token: the ID token, a secret.
        expires_at: until when it is taken.
    """

    name: str
    token: str
    expires_at: datetime


def sign_in(issuer: Issuer, show: Callable[[str], None]) -> SignedIn:
    """Let somebody sign in with a browser on this machine.

    Args:
        issuer: by whom, for a client without a secret.
        show: gets the address to open.

    Raises:
        CliError: they have not, or the issuer has refused.
    """
    verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": CLI_REDIRECT_URI,
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    try:
        begin = issuer.endpoints().authorization
        with _server() as server:
            show(f"{begin}{'&' if '?' in begin else '?'}{urlencode(asked)}")
            code = _code(server, state)
        token = issuer.redeem(code, verifier=verifier, redirect_uri=CLI_REDIRECT_URI)
        if token is None:
            raise CliError("the issuer did not take the sign-in: try again", code=_CODE)
        now = datetime.now(UTC)
        claims = verify(
            token,
            issuer.keys(),
            issuer=issuer.issuer,
            client_id=issuer.client_id,
            nonce=nonce,
            now=now,
        )
    except (Unavailable, TokenRefusedError) as error:
        raise CliError(f"the sign-in failed: {error}", code=_CODE) from None
    name = claims.get("email") or claims.get("sub") or "somebody"
    return SignedIn(str(name), token, datetime.fromtimestamp(int(claims["exp"]), UTC))


class _Server(HTTPServer):
    queries: list[dict[str, Any]]


def _server() -> _Server:
    """Where the issuer sends the browser, on this machine only."""
    at = urlsplit(CLI_REDIRECT_URI)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = urlsplit(self.path)
            if found.path != at.path:
                self.send_error(404)
                return
            server.queries.append({k: v[0] for k, v in parse_qs(found.query).items()})
            page = b"<!doctype html><title>hitl</title><p>Go back to the terminal.</p>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Content-Security-Policy", "default-src 'none'")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the query is a secret."""

    try:
        server = _Server(("127.0.0.1", at.port or 0), Handler)
    except OSError as error:
        msg = f"port {at.port} of this machine is taken, where the sign-in must come back to"
        raise CliError(f"{msg}: {error.strerror}", code=_CODE) from None
    server.queries = []
    return server


def _code(server: _Server, state: str) -> str:
    """The code of this sign-in; what answers another one is passed over."""
    until = time.monotonic() + PATIENCE
    while (left := until - time.monotonic()) > 0:
        server.timeout = left
        server.handle_request()
        for query in server.queries:
            if not secrets.compare_digest(query.get("state", ""), state):
                continue
            if "code" in query:
                return str(query["code"])
            raise CliError("the issuer has refused the sign-in", code=_CODE)
        server.queries.clear()
    raise CliError(f"nobody has signed in within {PATIENCE:.0f} s", code=_CODE)
