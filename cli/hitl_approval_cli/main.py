"""The `hitl` command: its commands in the order of the help, and how it ends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Annotated

import typer
from typer.exceptions import TyperException

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain.text import cut
from hitl_approval_cli import output
from hitl_approval_cli.commands.audit import audit
from hitl_approval_cli.commands.comment import comment
from hitl_approval_cli.commands.completion import completion
from hitl_approval_cli.commands.cost import cost
from hitl_approval_cli.commands.decide import approve, cancel, reject
from hitl_approval_cli.commands.delegate import delegate
from hitl_approval_cli.commands.doctor import doctor
from hitl_approval_cli.commands.drain import drain
from hitl_approval_cli.commands.drill import drill
from hitl_approval_cli.commands.history import history
from hitl_approval_cli.commands.inbox import inbox
from hitl_approval_cli.commands.list import list_
from hitl_approval_cli.commands.local import local
from hitl_approval_cli.commands.login import login, logout
from hitl_approval_cli.commands.logs import logs
from hitl_approval_cli.commands.mcp import mcp
from hitl_approval_cli.commands.policy import policy
from hitl_approval_cli.commands.reassign import reassign
from hitl_approval_cli.commands.remind import remind
from hitl_approval_cli.commands.repair import repair
from hitl_approval_cli.commands.resume import resume
from hitl_approval_cli.commands.retract import retract
from hitl_approval_cli.commands.show import get, show
from hitl_approval_cli.commands.slack_manifest import slack_manifest
from hitl_approval_cli.commands.stats import stats
from hitl_approval_cli.commands.status import status
from hitl_approval_cli.commands.submit import submit
from hitl_approval_cli.commands.template import template
from hitl_approval_cli.commands.verify import verify
from hitl_approval_cli.connection import OPTIONS
from hitl_approval_cli.errors import CliError, Exit, interrupted, show_error, usage

app = typer.Typer(
    name="hitl",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        output.line(LIBRARY_VERSION)
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
]


@app.callback()
def hitl(*, version: _Version = False) -> None:
    """Human approvals for AWS workflows: request, decide, follow."""


app.command()(inbox)
app.command()(show)
app.command()(approve)
app.command()(reject)
app.command()(comment)
app.command()(submit)
app.command()(status)
app.command()(verify)
app.command()(cancel)
app.command("list")(list_)
app.command(hidden=True)(get)
app.command()(history)
app.add_typer(audit, name="audit")
app.add_typer(policy, name="policy")
app.command()(login)
app.command()(logout)
app.command()(delegate)
app.command()(reassign)
app.command()(retract)
app.command()(remind)
app.command()(doctor)
app.command()(logs)
app.command()(resume)
app.command()(repair)
app.command()(drill)
app.command()(stats)
app.command()(mcp)
app.command()(slack_manifest)
app.command()(template)
app.command()(drain)
app.add_typer(local, name="local")
app.command()(cost)
app.command()(completion)


STDOUT = 1
"""The file descriptor of stdout."""
_GROUPS = frozenset({"audit", "local", "policy"})


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit status; every failure is one line."""
    as_json = "--json" in words
    try:
        status = _run(words, as_json=as_json)
        sys.stdout.flush()  # here, where a failure still has a line: Python itself flushes too late
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return _reader_has_gone()
        _point_stdout_nowhere()
        where = cut(str(error.filename)) if error.filename else "the output was not written"
        line = f"{where}: {error.strerror}"
        show_error(CliError(line, code="NOT_WRITTEN"), as_json=as_json)
        return Exit.FAILED
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # typer's and rich's answer to it
            return _reader_has_gone()
        raise
    return status


def _run(words: Sequence[str], *, as_json: bool) -> int:
    try:
        status: int | None = app(list(words), standalone_mode=False)
    except CliError as error:
        show_error(error, as_json=as_json)
        return error.status
    except TyperException as error:
        line = _misplaced(words) or error.format_message()
        if line:  # none where the help has been shown instead
            show_error(usage(line), as_json=as_json)
        return Exit.USAGE
    except typer.Abort as error:  # what Ctrl-C and the end of what is typed become
        by_hand = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        ended = interrupted() if by_hand else CliError("nobody answered", code="NOT_ANSWERED")
        if sys.stdin.isatty() and sys.stderr.isatty():
            output.err.print()  # the question's line ends here
        show_error(ended, as_json=as_json)
        return ended.status
    return status or Exit.OK


def _reader_has_gone() -> int:
    _point_stdout_nowhere()
    return Exit.CLOSED_PIPE


def _point_stdout_nowhere() -> None:
    """Python flushes stdout once more as it exits: what cannot be written is dropped there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)


def _misplaced(words: Sequence[str]) -> str:
    """What to say of an option of the commands that stands before the command; "" of others."""
    groups = list(takewhile(lambda word: word in _GROUPS, words))
    option = "".join(words[len(groups) : len(groups) + 1]).partition("=")[0]
    if option not in OPTIONS:
        return ""
    return f"{option} stands behind the command: {' '.join(['hitl', *groups, 'COMMAND', option])}"


def main() -> None:
    """Run the words of the command line."""
    if sys.stdout is None:  # closed by the caller, `>&-`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal or file cannot hold: \\u20ac
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))
