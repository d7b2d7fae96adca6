"""No retired word is left: `retired.py` has the list, the places and the exceptions."""

from __future__ import annotations

import pytest

from tests.docs.retired import EXCEPTIONS, PLACES, ROOT, retired, search


def test_should_use_no_retired_word() -> None:
    found = [f"{word.file}:{word.line}: {word.word}" for word in search(*PLACES)]
    assert not found, "\n".join(found)


def test_should_make_no_exception_that_nobody_needs() -> None:
    for name in EXCEPTIONS:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert any(retired(line) for line in [name, *lines]), name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it rings the doorbell", ["rings", "doorbell"]),
        ("def note_told(self): ...", ["told"]),
        ("DoorbellFailed, UNHEARD_SECONDS", ["Doorbell", "UNHEARD"]),
        ("Ours: as long as it takes", ["Ours: "]),
        ("values: Terms", ["Terms"]),
        ("spellings that look alike; it looks like an address", []),
        ("a string, an alarm, a shearing force, harmful armour", []),
        ("in terms of cost; asking people", []),
    ],
)
def test_should_find_words_and_parts_of_names(text: str, words: list[str]) -> None:
    assert retired(text) == words
