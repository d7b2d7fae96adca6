"""The parameters that several commands share: arguments, options and how they are read."""

from __future__ import annotations

import getpass
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.text import cut, shown
from hitl_approval.files import file_digest
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import usage

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The approval's id, or 6 of its first characters.")
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Or - to read ids from stdin.")]
Message = Annotated[str, typer.Option("--message", "-m", help="Your comment.")]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="HITL_USER",
        help="Your name, on record as declared: nobody vouches for it. Default: the"
        " operating system's user.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not show the request and ask first.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="Items of this page.")]
Context = Annotated[
    list[str] | None,
    typer.Option("--context", "-c", help="CDK context, as `cdk deploy -c` takes it."),
]
Cursor = Annotated[str | None, typer.Option(help="Where the page before ended.")]


def json_of(value: str, option: str) -> Any:
    """JSON as it is typed, or as it stands in a file: `@file.json`."""
    where = value
    try:
        if value.startswith("@"):
            where = value[1:]
            value = Path(where).read_text(encoding="utf-8")
        return json.loads(value)
    except OSError as error:
        raise usage(f"{option}: {cut(where)}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise usage(f"{option}: is not JSON") from None


def files_of(paths: list[str] | None) -> list[FileDigest]:
    """What is said of files that are named by their paths."""
    found: list[FileDigest] = []
    for path in paths or []:
        try:
            found.append(file_digest(path))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "is no path"
            raise usage(f"--file: {cut(path)}: {why}") from None
    return found


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def os_user() -> str:
    """The name of the operating system's user: nobody has verified it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        raise usage("this user has no name: set HITL_USER") from None


def who(name: str | None, *, by_session: bool) -> dict[str, str]:
    """The payload's field that says who acts; who is signed in needs none."""
    if name is None and by_session:
        return {}
    return {"approver": os_user() if name is None else name}


def ids_of(given: list[str]) -> list[str]:
    """The ids as given, or those on stdin for a lone `-`."""
    if given != ["-"]:
        return given
    try:
        ids = sys.stdin.read().split()
    except UnicodeDecodeError:
        raise usage("stdin is not UTF-8 text") from None
    if not ids:
        raise usage("no approval ids on stdin")
    return ids


def context_of(given: list[str] | None) -> dict[str, str]:
    """CDK context, as it is typed."""
    values = {}
    for word in given or []:
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise usage(f"--context: must look like name=value, got {shown(word)}")
        values[name] = value
    return values


def seconds(value: str, option: str = "--timeout") -> int:
    """A length of time in words: 45s, 30m, 8h, 7d."""
    found = length(value)
    if found is None:
        raise usage(f"{option}: must look like 45s, 30m, 8h or 7d, got {shown(value)}")
    return found


def moment(value: str | None, option: str = "--since") -> datetime | None:
    """A time in the past: so long ago, or a date, or a date and time; local unless it says."""
    if value is None:
        return None
    try:
        ago = length(value)
        if ago is not None:
            return clock.now() - timedelta(seconds=ago)
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        like = "must look like 30m, 8h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z"
        raise usage(f"{option}: {like}, got {shown(value)}") from None


def length(value: str) -> int | None:
    """Seconds of a length of time in words, 45s say, or of a bare number; None of anything else."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", value)
    if not match or int(match[1]) == 0:
        return None
    return int(match[1]) * _UNITS[match[2]]


def next_page(
    deployment: Deployment,
    command: str,
    cursor: str | None,
    *,
    limit: int,
    **given: str | bool | None,
) -> str:
    """The command of the next page, "" where there is none."""
    if cursor is None:
        return ""
    words = [command]
    for option, value in given.items():
        flag = f"--{'as' if option == 'name' else option}"
        if value is True:
            words.append(flag)
        elif isinstance(value, str):
            words += [flag, value]
    if limit != 20:  # noqa: PLR2004  the default
        words += ["--limit", str(limit)]
    return deployment.command(*words, "--cursor", cursor)
