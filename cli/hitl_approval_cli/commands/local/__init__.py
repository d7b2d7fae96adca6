"""`hitl local ...`: the local cloud with the stack deployed in it."""

from __future__ import annotations

import typer

from hitl_approval_cli.commands.local import demo, down, env, inbox, mail, up

__all__ = ["local"]

local = typer.Typer(
    help="A local cloud: AWS's APIs and its durable engine on this machine, no account, no Docker.",
    no_args_is_help=True,
)


local.command()(up.up)
local.command()(down.down)
local.command()(env.env)
local.command()(mail.mail)
local.command()(inbox.inbox)
local.command()(demo.demo)
