"""Reads a file for a request, or to see whether it is the one that was approved."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hitl_approval.domain.files import FileDigest


def file_digest(file: str | os.PathLike[str] | bytes, *, name: str | None = None) -> FileDigest:
    """Name, size and SHA-256 of a file, as `ApprovalRequest` and `Outcome.verify` take them.

    In a durable handler this belongs in a step, for a replay must see what the first run saw.

    Args:
        file: its path, or its bytes.
        name: how the request names it. Default: the last part of its path.

    Raises:
        OSError: it cannot be read.
        TypeError: bytes without a name.
    """
    if isinstance(file, bytes):
        if name is None:
            msg = "bytes have no name of their own: file_digest(data, name=...)"
            raise TypeError(msg)
        return FileDigest(name=name, sha256=hashlib.sha256(file).hexdigest(), size=len(file))
    with Path(file).open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        size = opened.tell()
    return FileDigest(name=name or Path(file).name, sha256=digest, size=size)
