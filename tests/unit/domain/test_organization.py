"""Whose page it is: what can be read and is not too heavy, and what is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.organization import DARK, ENOUGH, LIGHT, MAX_LOGO, Organization, contrast

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b'<?xml version="1.0"?><!-- ours --><svg xmlns="http://www.w3.org/2000/svg"><path/></svg>'


def test_should_know_the_contrast_of_two_colors() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("color", ["#1450b4", "#A8201A", "#000000", "#00008b"])
def test_should_be_read_in_light_and_in_dark_colors(color: str) -> None:
    made = Organization("Nordwind", color)
    assert made.color == color.lower()
    assert contrast(str(made.color), LIGHT) >= ENOUGH
    assert contrast(str(made.dark_color), DARK) >= ENOUGH


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"color": "#f5b700"},
            "contrast of 1.6 to 1 with the page, and text needs 4.5 to 1: use a darker one, #8e6a0",
        ),
        ({"color": "#ffffff"}, "has a contrast of 1.1 to 1"),
        ({"color": "red"}, "organization.color must be like #1450b4, got 'red'"),
        ({"color": 7}, "organization.color must be like #1450b4, got 7"),
        ({"name": "x" * 61}, "organization.name must be at most 60 characters, got 61"),
        ({"name": "a\nb"}, "organization.name must not contain control characters"),
        ({"name": ""}, "organization.name must not be empty: use the name that people know"),
        ({"name": None}, "organization.name must be a string"),
        ({"logo": "logo.svg"}, 'must be bytes, got a string: use Path("logo.svg").read_bytes()'),
        ({"logo": b"GIF89a"}, "must be an SVG or PNG image"),
        ({"logo": b"<html/>"}, "must be an SVG or PNG image"),
        ({"logo": b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG}, "must be an SVG or PNG image"),
        ({"logo": PNG + b"\0" * MAX_LOGO}, "must be at most 8,192 bytes, got 8,240"),
    ],
)
def test_should_refuse_what_no_page_can_have(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^organization\.") as refused:
        Organization(**{"name": "Nordwind"} | fields)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_should_suggest_a_color_that_is_taken() -> None:
    assert Organization("Nordwind", "#8e6a00").color == "#8e6a00"


@pytest.mark.parametrize(("logo", "kind"), [(PNG, "image/png"), (SVG, "image/svg+xml")])
def test_should_hold_the_logo_in_its_address(logo: bytes, kind: str) -> None:
    assert str(Organization("Nordwind", logo=logo).logo_url).startswith(f"data:{kind};base64,")


@pytest.mark.parametrize("made", [Organization("Nordwind"), Organization("Zoë", "#1450b4", PNG)])
def test_should_be_read_back_as_it_was_written(made: Organization) -> None:
    assert Organization.from_dict(made.to_dict()) == made


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"name": "x"},
        {"name": "x", "color": None, "logo": "?"},
        {"name": "x", "color": None, "logo": 1},
    ],
)
def test_should_refuse_what_it_has_not_written(values: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        Organization.from_dict(values)
