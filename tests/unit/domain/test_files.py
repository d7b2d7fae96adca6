"""Files of a request: what a list of them must be; tests/bad_input has what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.files import (
    MAX_FILES,
    FileDigest,
    file_in_words,
    read_files,
    validate_files,
)


def a_file(name: str = "plan.tfplan", sha256: str = "a" * 64, size: int = 1_024) -> FileDigest:
    return FileDigest(name=name, sha256=sha256, size=size)


def test_should_take_as_many_as_can_be_read() -> None:
    files = [a_file(name=f"{n}.sql") for n in range(MAX_FILES)]
    assert validate_files(iter(files), "files") == tuple(files)
    with pytest.raises(InvalidRequest, match=r"^files: must be at most 10, got 11$"):
        validate_files([*files, a_file()], "files")


def test_should_refuse_names_that_no_outcome_could_hold() -> None:
    files = [a_file(name=f"{n:02}{chr(0x1F680) * 200}") for n in range(4)]
    assert validate_files(files[:3], "files")
    with pytest.raises(InvalidRequest, match=r"^files: must have names of at most 8,000 char.*9,6"):
        validate_files(files, "files")


def test_should_come_back_from_a_row_as_they_were() -> None:
    assert read_files([dict(a_file())]) == (a_file(),)


@pytest.mark.parametrize("stored", [[{}], [7], 7, [{"name": "a", "sha256": "b", "size": "c"}]])
def test_should_not_read_what_is_none(stored: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_files(stored)


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 bytes"), (1, "1 byte"), (1_048_576, "1,048,576 bytes")]
)
def test_should_say_a_file_whole(size: int, said: str) -> None:
    assert file_in_words(a_file(size=size)) == f"plan.tfplan, {said}, SHA-256 {'a' * 64}"
