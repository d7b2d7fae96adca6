"""`hitl local inbox`: the inbox of a local deployment, signed in as somebody."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hitl_approval.contract import Output
from hitl_approval.domain.text import shown
from hitl_approval.routes import Route
from hitl_approval_cli import output
from hitl_approval_cli.commands.local.clients import local_client
from hitl_approval_cli.commands.local.place import Place, must_run
from hitl_approval_cli.errors import CliError, usage
from hitl_approval_cli.local import LocalCloudError, invite_person
from hitl_approval_cli.stack_outputs import deployments_in

_POOL = "https://cognito-idp."


def inbox(
    as_: Annotated[
        str, typer.Option("--as", metavar="ADDRESS", help="Who you are, as requests name you.")
    ],
    *,
    open_: Annotated[
        bool, typer.Option("--open", help="Open it in the browser, besides printing it.")
    ] = False,
) -> None:
    """Print a link to the inbox, which opens once and has you signed in as somebody.

    Deploy with a user pool for it: `hitl local up -c sign_in=cognito`. Who is not in the pool yet
    is added to it. Nobody needs a password here, and in AWS there is no such link.

    Example: hitl local inbox --as ann@example.com
    """
    running = must_run(Place.here())
    environment = running["environment"]
    outputs = _signing_in(local_client(environment, "cloudformation"), running["stacks"])
    pool = outputs[Output.SIGN_IN_ISSUER].rpartition("/")[2]
    _add(local_client(environment, "cognito-idp"), pool, as_)
    try:
        link = invite_person(
            environment, pool=pool, name=as_, leads_to=outputs[Output.PAGE_URL] + Route.INBOX
        )
    except LocalCloudError as error:
        raise CliError(str(error), code="NOT_RUNNING") from error
    output.line(link)
    if open_ and not webbrowser.open(link):
        output.plain_error("There is no browser here: open the link by hand.")


def _signing_in(cloudformation: Any, stacks: list[str]) -> Mapping[str, str]:
    """The outputs of the deployment in which people sign in by a user pool."""
    for stack in stacks:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        for outputs in deployments_in(described).values():
            if outputs.get(Output.SIGN_IN_ISSUER, "").startswith(_POOL):
                return outputs
    msg = "nobody can sign in to what is deployed here: run `hitl local up -c sign_in=cognito`"
    raise CliError(msg, code="NO_SIGN_IN")


def _add(cognito: Any, pool: str, name: str) -> None:
    """Add somebody to the user pool, with a verified address, unless they are in it."""
    verified = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    try:
        cognito.admin_create_user(
            UserPoolId=pool, Username=name, UserAttributes=verified, MessageAction="SUPPRESS"
        )
    except cognito.exceptions.UsernameExistsException:
        pass
    except cognito.exceptions.InvalidParameterException:
        msg = f"--as: must be an address like ann@example.com, got {shown(name)}"
        raise usage(msg) from None
