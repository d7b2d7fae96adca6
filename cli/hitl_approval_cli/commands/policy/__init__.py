"""`hitl policy ...`: the rules of a deployment, and what they would do with a request."""

from __future__ import annotations

import typer

from hitl_approval_cli.commands.policy import show, test

__all__ = ["policy"]

policy = typer.Typer(
    help="See a deployment's rules, and try rules on a request before they are deployed.",
    no_args_is_help=True,
)

policy.command("test")(test.run)
policy.command()(show.show)
