"""The files that a request is about: each by its name, its size and the SHA-256 of its bytes.

The bytes themselves stay where they are: what is approved is that exactly they are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest

MAX_FILES = 10
"""Most files of one request: each is read on the page, with its digest."""
MAX_NAME = 255
"""Longest name of a file, in characters: what file systems take."""
MAX_NAMES = 8_000
"""Most that the names of all files take, in characters of ASCII JSON: an outcome has them beside
its votes in the 256 KB of a durable step."""
MAX_SIZE = 2**53 - 1
"""Largest file, in bytes: a whole number that every reader of JSON keeps exactly."""
_SHA_256 = re.compile("[0-9a-f]{64}")


class FileDigest(TypedDict):
    """A file as a request, its record, views and events have it: JSON values."""

    name: str
    sha256: str
    size: int


_FIELDS = frozenset(FileDigest.__annotations__)


def validate_files(files: Any, field_name: str) -> tuple[FileDigest, ...]:
    """Accept a list of files, each once.

    Raises:
        InvalidRequest: not a list of what `file_digest` returns, too many, or a name twice.
    """
    if isinstance(files, str | bytes | Mapping) or not isinstance(files, Iterable):
        raise InvalidRequest(field_name, f"must be a list of files, got {text.kind(files)}")
    accepted: dict[str, FileDigest] = {}
    for file in files:
        one = _file(file, field_name)
        if one["name"] in accepted:
            raise InvalidRequest(field_name, f"name {text.shown(one['name'])} twice")
        accepted[one["name"]] = one
    if len(accepted) > MAX_FILES:
        raise InvalidRequest(field_name, f"must be at most {MAX_FILES}, got {len(accepted)}")
    names = sum(len(json.dumps(name)) for name in accepted)
    if names > MAX_NAMES:
        rule = f"must have names of at most {MAX_NAMES:,} characters in all, got {names:,}"
        raise InvalidRequest(field_name, rule)
    return tuple(accepted.values())


def _file(file: Any, field_name: str) -> FileDigest:
    if not isinstance(file, Mapping):
        raise InvalidRequest(field_name, f"must have objects, got {text.kind(file)}")
    if set(file) != _FIELDS:
        rule = "must have name, sha256 and size of each, and nothing else"
        raise InvalidRequest(field_name, f"{rule}: file_digest makes them")
    digest, size = file["sha256"], file["size"]
    if not isinstance(digest, str) or not _SHA_256.fullmatch(digest):
        rule = "must have 64 hexadecimal digits in lower case as sha256"
        raise InvalidRequest(field_name, f"{rule}, got {text.shown(digest)}")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
        raise InvalidRequest(
            field_name, f"must have a number of bytes as size, got {text.shown(size)}"
        )
    name = text.line(file["name"], f"{field_name}.name", maximum=MAX_NAME)
    return FileDigest(name=name, sha256=digest, size=size)


def read_files(stored: Any) -> tuple[FileDigest, ...]:
    """The files that a row holds.

    Raises:
        KeyError, TypeError: it holds something else.
    """
    return tuple(
        FileDigest(name=str(one["name"]), sha256=str(one["sha256"]), size=int(one["size"]))
        for one in stored
    )


def file_in_words(file: FileDigest) -> str:
    """A file as people read it: `plan.tfplan, 1,024 bytes, SHA-256 9f86...`, whole."""
    unit = "byte" if file["size"] == 1 else "bytes"
    return f"{file['name']}, {file['size']:,} {unit}, SHA-256 {file['sha256']}"
