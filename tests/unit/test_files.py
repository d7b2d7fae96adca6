"""`file_digest`: what a request says of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hitl_approval import file_digest

DATA = b"terraform\x00" * 300_000
EXPECTED = {"name": "plan.tfplan", "sha256": hashlib.sha256(DATA).hexdigest(), "size": len(DATA)}


def test_should_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.tfplan"
    path.write_bytes(DATA)
    assert file_digest(path) == file_digest(str(path)) == EXPECTED
    assert file_digest(path, name="x")["name"] == "x"


def test_should_take_bytes_with_a_name() -> None:
    assert file_digest(DATA, name="plan.tfplan") == EXPECTED
    with pytest.raises(TypeError, match="bytes have no name of their own"):
        file_digest(DATA)


def test_should_know_an_empty_file() -> None:
    empty = file_digest(b"", name="a")
    assert empty["sha256"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert empty["size"] == 0
