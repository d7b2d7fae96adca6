"""Names: who looks the same is one person, and only the same spelling lets somebody in."""

from __future__ import annotations

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import expand, members_of
from hitl_approval.domain.text import name, person_key, spelling

ALIKE = {
    "BOB": "bob",
    " bob ": "bob",
    "bo\u200bb": "bob",
    "b\u2060ob": "bob",
    "\uff42\uff4f\uff42": "bob",
    "bob\ufeff": "bob",
    "bob\ufe0f": "bob",
    "b\u034fob": "bob",
    "bob\u3164": "bob",
    "\u115fbob": "bob",
    "bo\u180eb": "bob",
    "bob\u2800": "bob",
    "Andre\u200b\u0301": "andré",
    "e\ufe0f\u0301va": "éva",
    "ann@weiß.com": "ann@weiss.com",
    "ann@wei\u1e9e.com": "ann@weiss.com",
    "\u017fam": "sam",
    "\ufb01nn": "finn",
}


@pytest.mark.parametrize("other", ALIKE)
def test_should_take_spellings_that_look_alike_for_one_person(other: str) -> None:
    assert person_key(other) == person_key(ALIKE[other])


@pytest.mark.parametrize("other", [other for other in ALIKE if other not in {"BOB", " bob "}])
def test_should_let_nobody_in_who_only_looks_alike(other: str) -> None:
    assert spelling(other) != spelling(ALIKE[other])


@pytest.mark.parametrize("other", ["André", "ANDRÉ", "Andre\u0301", " andré "])
def test_should_let_in_whatever_the_case_and_however_the_letters_are_encoded(other: str) -> None:
    assert spelling(other) == spelling("andré")


@pytest.mark.parametrize("other", ["\u115f\u3164", "\ufe0f", "\u034f\u180b", "\u2800 \u200b"])
def test_should_refuse_a_name_that_nobody_can_see(other: str) -> None:
    with pytest.raises(InvalidRequest, match="must not be empty"):
        name(other, "approver")


def test_should_refuse_two_people_who_resemble_each_other_in_and_beside_a_group() -> None:
    members = members_of({"leads": ["ann@weiss.com", "bob"]})
    assert expand(["leads", "BOB"], members, "approvers") == ("ann@weiss.com", "bob")
    with pytest.raises(InvalidRequest, match=r"approvers: names 'ann@weiss\.com' twice"):
        expand(["ann@weiß.com", "leads"], members, "approvers")
    assert members("LEADS") == ("ann@weiss.com", "bob")
    assert members("lead\u017f") is None
