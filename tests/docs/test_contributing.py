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


def test_should_install_nothing_without_its_hash() -> None:
    """The threat: a package index that serves another file under a locked version, of uv too."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    installs = [line for line in lines if re.search(r"pip (install|sync)\b", line)]
    fetching = [line for line in installs if not line.rstrip().endswith("-e .")]
    assert len(fetching) >= 2
    for line in fetching:
        assert "--require-hashes" in line, line
    for name in ("requirements.txt", "requirements-dev.txt", "lambdas.lock", "local.lock"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==.*(?:\n {4}.*)*", lock, re.MULTILINE)
        assert pinned
        assert all("--hash=sha256:" in package for package in pinned)
