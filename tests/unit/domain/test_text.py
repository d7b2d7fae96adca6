"""Names: who looks the same is one person, and only the same spelling lets somebody in."""

from __future__ import annotations

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import expand, members_of
from hitl_approval.domain.text import comment, inert, line, listed, name, person_key, spelling

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


@pytest.mark.parametrize("code", [0xFFFE, 0xFFFF, 0xFDD0, 0xFDEF, 0x1FFFE, 0x10FFFF])
def test_should_refuse_codes_that_are_no_characters(code: int) -> None:
    for rule in (line, comment):
        with pytest.raises(InvalidRequest, match=f"control characters, got U\\+{code:04X}"):
            rule(f"ann{chr(code)}", "subject")
    assert chr(code) not in inert(f"ann{chr(code)}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("refund\u200b", "refund\\u200b"),
        ("a\u00adb\u2060c\ufeff", "a\\u00adb\\u2060c\\ufeff"),
        ("a\ufe0f\u034f\u3164\u2800", "a\\ufe0f\\u034f\\u3164\\u2800"),
        ("a\u200db", "a\\u200db"),
        ("\u0645\u200ca", "\u0645\\u200ca"),
        ("x\U000e0041", "x\\U000e0041"),
        ("\u200b\x1b\u202e", "\\u200b\\u001b\\u202e"),
    ],
)
def test_should_show_characters_that_nobody_sees(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Grüße, Ω, 日本",
        "two\nlines\tand a tab",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f469\u200d\U0001f4bb",
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",
        "\u2764\ufe0f\u200d\U0001f525",
    ],
)
def test_should_leave_letters_that_join_and_pictures_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_should_make_no_two_people_of_a_name_with_a_comma() -> None:
    assert listed(["ann", "cid"]) == "ann, cid"
    assert listed(["ann, bob", 'o"x', "cid"]) == '"ann, bob", "o\\"x", cid'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" + " " * 81 + "b", "a[81 spaces]b"),
        ("a" + "\u00a0\t\u3000" * 40 + "b", "a[120 spaces]b"),
        ("a\n\n\n\n\nb", "a\n[4 empty lines]\nb"),
        ("a" + "\n \u2003" * 5_000 + "b", "a\n[4,999 empty lines]\n \u2003b"),
        ("e" + "\u0301" * 12, "e" + "\u0301" * 8 + "\\u0301" * 4),
        ("a\ufffc\U0001d159b", "a\\ufffc\\U0001d159b"),
    ],
)
def test_should_count_what_moves_the_rest_out_of_sight(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize(
    "text",
    ["a" + " " * 80 + "b", "a\n\n\n\nb", "if x:\n" + " " * 40 + "y()", "Z\u0351\u036b\u0343\u036a"],
)
def test_should_leave_code_and_letters_as_they_are(text: str) -> None:
    assert inert(text) == text
