"""`hitl login` and `hitl logout`: decide under an identity that somebody vouches for."""

from __future__ import annotations

import os
import webbrowser
from typing import Annotated

import typer

from hitl_approval.adapters.issuer import OpenIdIssuer
from hitl_approval.contract import Output
from hitl_approval_cli import output
from hitl_approval_cli.browser_sign_in import sign_in
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.sessions import Session, forget_session, keep_session
from hitl_approval_cli.times import local_time

_Browser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open a browser, or only print the address.")
]


@connected
def login(to: Connection, *, browser: _Browser = True) -> None:
    """Sign in with a browser, to decide under a verified identity.

    From then on `hitl approve`, `reject` and `cancel` without --as, and without HITL_USER, decide
    through the page's API as whoever has signed in, until the sign-in ends. It is kept in a file
    that only you can read.

    Example: hitl login
    """
    page = to.deployment.find_output(Output.PAGE_URL)
    issuer = to.deployment.find_output(Output.SIGN_IN_ISSUER)
    client = to.deployment.find_output(Output.SIGN_IN_CLIENT_ID)
    if page is None or issuer is None or client is None:
        msg = (
            "nobody can sign in to this deployment from a terminal: it needs a page with "
            "sign_in=SignIn.cognito(), or SignIn.oidc(...) with a client that has no secret"
        )
        raise CliError(msg, code="NO_SIGN_IN")

    def show(address: str) -> None:
        if browser and webbrowser.open(address):
            output.err.print("Sign in in your browser; it opens now.")
        else:
            output.err.print("Open this address and sign in:")
            output.plain_error(address)

    endpoint = to.deployment.endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
    found = sign_in(OpenIdIssuer(issuer, client, None, endpoint), show)
    expires_at = found.expires_at.isoformat()
    keep_session(Session(page, found.name, found.token, expires_at))
    answer = {"name": found.name, "expires_at": expires_at}
    said = f"Signed in as {output.safe(found.name)} until {local_time(expires_at)}."
    to.show(answer, lambda: output.out.print(said, soft_wrap=True))


@connected
def logout(to: Connection) -> None:
    """Forget the sign-in of `hitl login` on this machine.

    Example: hitl logout
    """
    was = forget_session(to.deployment.find_output(Output.PAGE_URL))
    said = "Signed out." if was else "Nobody was signed in."
    to.show({"signed_out": was}, lambda: output.line(said))
