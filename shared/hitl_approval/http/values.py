"""A value as HTML: addresses as links whose host is shown, the lines of a diff marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from markupsafe import Markup, escape

_ADDRESS = re.compile(r"https://[^\s\\<>\"'`{}|^]+")
_NOT_AT_ITS_END = ".,;:!?)]*_"
"""What stands behind an address in a sentence, and hardly ever ends one."""
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")

Change = Literal["added", "removed", "place", ""]
"""Of a line of a diff; `place` says where the lines are that follow."""


def linked(value: str) -> Markup:
    """Inert text whose https addresses are links, each with its host beside it.

    The host is spelled as the network has it (Punycode), so that no letter passes for another. An
    address that names a user, which is there to mislead, is text.
    """
    pieces: list[str | Markup] = []
    end = 0
    for found in _ADDRESS.finditer(value):
        address = found[0].rstrip(_NOT_AT_ITS_END)
        host = host_of(address)
        if host is None:
            continue
        pieces += [escape(value[end : found.start()]), _link(address, host)]
        end = found.start() + len(address)
    return Markup("").join([*pieces, escape(value[end:])])


def host_of(address: str) -> str | None:
    """The host of an https address as the network has it; None where it is to be no link."""
    try:
        parts = urlsplit(address)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        return None
    if "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    return host if port is None else f"{host}:{port}"


def _link(address: str, host: str) -> Markup:
    parts: SplitResult = urlsplit(address)._replace(netloc=host)
    return Markup(
        '<a href="{}" rel="noreferrer noopener" target="_blank">{}</a> '
        '<span class="host">(opens {})</span>'
    ).format(parts.geturl(), address, host)


def diff_lines(value: str) -> Iterator[tuple[Change, str]]:
    """The lines of a unified diff, and what each is."""
    for line in value.split("\n"):
        if line.startswith(("+++ ", "--- ", "@@ ", "diff ")):
            yield "place", line
        elif line.startswith("+"):
            yield "added", line
        else:
            yield ("removed" if line.startswith("-") else ""), line
