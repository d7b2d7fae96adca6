"""`hitl slack-manifest`: the Slack app by which a deployment asks people."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import typer

from hitl_approval.contract import Output
from hitl_approval.routes import Route
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError, usage

MAX_NAME: Final = 35
"""Characters of an app's name (Slack's manifest reference, display_information.name)."""
SCOPES: Final = ("chat:write", "im:write", "users:read", "users:read.email")
"""What the app may: send messages, and read whose account has which confirmed address."""

_Name = Annotated[str, typer.Option(help="What people in Slack see as the sender.")]


@connected
def slack_manifest(to: Connection, *, name: _Name = "Approvals") -> None:
    """Print the manifest of the Slack app that asks for this deployment.

    Paste it where Slack makes an app from a manifest, install the app, and put its bot token and
    its signing secret into a secret, which `HitlApproval(slack=Slack(...))` names.

    Example: hitl slack-manifest > manifest.json
    """
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise usage(f"--name: must be 1 to {MAX_NAME} characters, got {len(name.strip())}")
    page = to.deployment.find_output(Output.PAGE_URL)
    if page is None:
        msg = "this deployment has no page, whose address Slack calls: deploy it with a page first"
        raise CliError(msg, code="NO_PAGE")
    made = manifest(page, name.strip())
    to.show(made, lambda: output.plain(json.dumps(made, indent=2, ensure_ascii=False) + "\n"))


def manifest(page_url: str, name: str) -> dict[str, Any]:
    """The manifest of an app.

    Args:
        page_url: where the deployment's page is.
        name: what people see as the sender.
    """
    return {
        "display_information": {
            "name": name,
            "description": "Asks people for approval, and takes their decisions",
        },
        "features": {"bot_user": {"display_name": name, "always_online": True}},
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "interactivity": {"is_enabled": True, "request_url": f"{page_url}{Route.SLACK}"},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
