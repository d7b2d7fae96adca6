"""Whether what is about to run is what was approved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.text import listed, shown

NOTHING: Final[Any] = object()
"""What stands for a payload where none is to be verified: null is one."""
_BEGINNING = 12
"""Digits of a digest in a sentence: enough to tell two apart."""


class NotAsApproved(Exception):  # noqa: N818  reads as what happened
    """What is about to run is not what was approved: do not run it.

    Attributes:
        problems: what differs, one sentence each.
    """

    __module__ = "hitl_approval"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def differences(
    context_digest: str,
    approved: Sequence[FileDigest],
    *,
    payload: Any = NOTHING,
    files: Sequence[FileDigest] = (),
) -> list[str]:
    """What of a payload and of files is not as it was approved; empty when all is.

    Args:
        context_digest: of the context that was approved; empty where it is not known.
        approved: the files that were.
        payload: a JSON value.
        files: what `file_digest` says of those that are about to be used.
    """
    found = [] if payload is NOTHING else _of_payload(context_digest, payload)
    known = {file["name"]: file for file in approved}
    return [*found, *(said for file in files for said in _of_file(known, file))]


def _of_payload(context_digest: str, payload: Any) -> list[str]:
    if not context_digest:
        return ["it is not known which context was approved: deploy this version"]
    try:
        digest = digest_json(json.loads(context_json(payload)))
    except InvalidRequest as error:
        return [f"the payload cannot have been approved: {error}"]
    if digest == context_digest:
        return []
    other, approved = digest[:_BEGINNING], context_digest[:_BEGINNING]
    return [f"the payload (digest {other}) is not the context that was approved ({approved})"]


def _of_file(known: Mapping[str, FileDigest], file: FileDigest) -> list[str]:
    name = shown(file["name"])
    asked = known.get(file["name"])
    if asked is None:
        names = f"only {listed(known)}" if known else "no file at all"
        return [f"the request is not about a file {name}, {names}"]
    if (asked["sha256"], asked["size"]) == (file["sha256"], file["size"]):
        return []
    return [
        f"the file {name} has other bytes, {_bytes(file)}, than were asked about, {_bytes(asked)}"
    ]


def _bytes(file: FileDigest) -> str:
    return f"{file['size']:,} with SHA-256 {file['sha256'][:_BEGINNING]}"
