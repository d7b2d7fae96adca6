"""The map and the table of places in CONTRIBUTING.md lead to what exists."""

from __future__ import annotations

import re

import pytest

from tests.docs.site import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


NAMES = 28
"""The map's first column, in characters."""


def places() -> list[str]:
    """Each path that the map names, from the repository's folder on."""
    [lines] = re.findall(r"^## Where things are\n+```\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    found: list[str] = []
    above = ""
    for line in lines.splitlines():
        inside, names = line.startswith(" "), line[:NAMES].split()
        found += [f"{above}{name}" if inside else name for name in names]
        above = above if inside else names[0]
    return found


@pytest.mark.parametrize("place", places())
def test_should_lead_to_what_exists(place: str) -> None:
    assert (ROOT / place).is_dir() if place.endswith("/") else (ROOT / place).is_file()


def test_should_name_every_folder_of_the_runtime() -> None:
    runtime = ROOT / "shared" / "hitl_approval"
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in runtime.glob("*/__init__.py")}
    assert folders <= set(places())


@pytest.mark.parametrize(
    ("file", "name"), re.findall(r"^\| .* \| `([\w/]+\.py)` \| `(\w+)` \|$", TEXT, re.MULTILINE)
)
def test_should_lead_to_a_definition_that_exists(file: str, name: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:def|class) {name}\b", source, re.MULTILINE), name
