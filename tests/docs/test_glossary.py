"""`docs/glossary.md`: what it says the code has, the code has."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import Identity
from hitl_approval.usecases.decide import Workflow
from tests.docs.retired import retired

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z][^|]*?) \| ([^|]+?) \| (`[^|]+`) \|$", GLOSSARY, re.MULTILINE)


@cache
def code() -> frozenset[str]:
    """Every word of the three packages and the entry points."""
    words: set[str] = set()
    for folder in ("shared", "stacks", "lambdas", "cli"):
        for file in (ROOT / folder).rglob("*.py"):
            words.update(re.findall(r"\w+", file.read_text(encoding="utf-8")))
    return frozenset(words)


def test_should_have_its_terms_in_order_and_once() -> None:
    terms = [term for term, _, _ in ROWS]
    assert len(terms) == GLOSSARY.count("\n| ") - 1  # the heading; the line below begins `|--`
    assert terms == sorted(set(terms))


@pytest.mark.parametrize(("term", "names"), [(term, names) for term, _, names in ROWS])
def test_should_name_what_the_code_has(term: str, names: str) -> None:
    for name in re.findall(r"`([^`]+)`", names):
        assert name in code(), f"{term}: {name}"


def test_should_use_no_retired_word_as_a_term() -> None:
    assert [term for term, _, _ in ROWS if retired(term)] == []


def test_should_give_identities_statuses_and_answers_as_the_code_does() -> None:
    meanings = {term: re.findall(r"`(\w+)`", meaning) for term, meaning, _ in ROWS}
    assert tuple(meanings["status"]) == STATUSES
    assert set(meanings["identity"]) == set(get_args(Identity))
    assert tuple(meanings["resume"]) == get_args(Workflow)
