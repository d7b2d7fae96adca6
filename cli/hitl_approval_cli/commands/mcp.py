"""`hitl mcp`: agents on this machine ask people, by the Model Context Protocol."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from hitl_approval.domain.text import cut
from hitl_approval.domain.tool_policy import ToolPolicy
from hitl_approval.mcp import rpc
from hitl_approval_cli import mcp_child
from hitl_approval_cli.connection import Connection, connected_to_a_program
from hitl_approval_cli.errors import usage
from hitl_approval_cli.mcp_caller import DesktopCaller
from hitl_approval_cli.mcp_lines import lines, stdin_reader, stdout_writer
from hitl_approval_cli.mcp_stdio import serve
from hitl_approval_cli.parameters import seconds


@connected_to_a_program
def mcp(
    to: Connection,
    *,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]", help="With --gate: the server whose tools are forwarded."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--as",
            envvar="HITL_USER",
            help="Who asks, on record as declared. Default: who is signed in by hitl login, else "
            "the operating system's user.",
        ),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option(
            metavar="POLICY",
            help="Forward the tools of COMMAND, and ask people first for those that this file "
            "names: a JSON list of rules for tools.",
        ),
    ] = None,
    wait: Annotated[
        str,
        typer.Option(
            help="With --gate: how long a call is held while people decide: 45s, 30m, 8h. After "
            "that the agent is answered to call again, and the same call goes on waiting."
        ),
    ] = "50s",
) -> None:
    """Serve agents on stdin and stdout: they ask, see how it stands and withdraw.

    A desktop agent starts it by itself. Nobody can approve through it: people decide on the page,
    by mail or by hitl. It ends when its input ends; it logs to stderr only.

    With --gate it stands before another server, whose tools the agent uses as before: a call that
    the policy asks for runs when people have approved exactly it, with what they have made of
    editable arguments, and otherwise the agent is answered why not.

    Example: hitl mcp

    Example: hitl mcp --gate policy.json -- files-server /data
    """
    if (gate is None) != (not command):
        raise usage("--gate POLICY and a command belong together: --gate POLICY -- COMMAND")
    logging.basicConfig(level=logging.WARNING)  # to stderr: stdout has messages only
    policy = None if gate is None else _policy(gate)
    held = seconds(wait, "--wait")
    caller = DesktopCaller.of(to.deployment, name)
    if policy is None:
        serve(lines(stdin_reader(), rpc.MAX_MESSAGE), stdout_writer(), caller)
    else:
        mcp_child.run(command or [], policy, caller, held)


def _policy(file: Path) -> ToolPolicy:
    where = cut(str(file))
    try:
        return ToolPolicy.from_json(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise usage(f"--gate: {where}: {error.strerror}") from None
    except RecursionError:
        raise usage(f"--gate: {where}: is not JSON") from None
    except ValueError as error:
        why = "is not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
        raise usage(f"--gate: {where}: {why}") from None
