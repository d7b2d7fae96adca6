"""The `hitl` command: its commands in the order of the help, and how it ends."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Annotated

import typer
from typer.exceptions import TyperException

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval_cli import asking, deciding, looking, operating, screen
from hitl_approval_cli.audit_commands import audit
from hitl_approval_cli.completion import completion
from hitl_approval_cli.connected import OPTIONS
from hitl_approval_cli.cost import cost
from hitl_approval_cli.doctor import doctor
from hitl_approval_cli.errors import CliError, Exit, interrupted, show_error, usage
from hitl_approval_cli.local_commands import local

app = typer.Typer(
    name="hitl",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        screen.line(LIBRARY_VERSION)
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
]


@app.callback()
def hitl(*, version: _Version = False) -> None:
    """Human approvals for AWS workflows: ask, decide, look on."""


app.command()(looking.inbox)
app.command()(looking.show)
app.command()(deciding.approve)
app.command()(deciding.reject)
app.command()(asking.submit)
app.command()(looking.status)
app.command()(deciding.cancel)
app.command("list")(looking.list_)
app.command(hidden=True)(looking.get)
app.command()(looking.history)
app.add_typer(audit, name="audit")
app.command()(doctor)
app.command()(operating.resume)
app.command()(operating.stats)
app.add_typer(local, name="local")
app.command()(cost)
app.command()(completion)


_GROUPS = frozenset({"audit", "local"})


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit status; every failure is one line."""
    as_json = "--json" in words
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
        show_error(ended, as_json=as_json)
        return ended.status
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        return Exit.OK
    return status or Exit.OK


def _misplaced(words: Sequence[str]) -> str:
    """What to say of an option of the commands that stands before the command; "" of others."""
    groups = list(takewhile(lambda word: word in _GROUPS, words))
    option = "".join(words[len(groups) : len(groups) + 1]).partition("=")[0]
    if option not in OPTIONS:
        return ""
    return f"{option} stands behind the command: {' '.join(['hitl', *groups, 'COMMAND', option])}"


def main() -> None:
    """Run the words of the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal or file cannot hold: \\u20ac
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))
