"""What the README shows is run, and what it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS

ROOT = Path(__file__).parents[2]
EXTRAS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_should_synthesize_the_readmes_ten_lines(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(block.strip().splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_should_show_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "up", "down", "env"} <= shown
    assert shown <= targets


TEXTS = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/docs/cli_preface.md"),
    *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md"))),
    *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("examples/*/*.*")) if p.is_file()),
]


@pytest.mark.parametrize("page", TEXTS)
def test_should_show_only_installs_that_work_today(page: str) -> None:
    """The name is on no index yet: `make wheel` makes what is installed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "pypi.org" not in text
    assert "npmjs" not in text
    for found in re.finditer(r"(hitl[-_]approval[\w.-]*)\[([\w,]+)\]", text):
        name, extras = found.groups()
        assert set(extras.split(",")) <= EXTRAS
        if name != f"hitl_approval-{LIBRARY_VERSION}-py3-none-any.whl":
            assert "published" in text[max(0, found.start() - 80) : found.end() + 80], found[0]


def test_should_document_every_output() -> None:
    for name in OUTPUTS:
        assert f"`{name}`" in README


PAGES = [
    *(
        "README.md",
        "CONTRIBUTING.md",
        "docs/adr/README.md",
        "docs/page.md",
        "docs/embedding.md",
        "docs/cli.md",
    ),
    *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("examples/*/README.md"))),
]


@pytest.mark.parametrize("page", PAGES)
def test_should_link_to_files_that_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http"):
            assert ((ROOT / page).parent / link).exists(), link


def test_should_document_every_context_key() -> None:
    from hitl_approval_cdk.context import KEYS

    for key in ("stack_name", *KEYS):
        assert f"`{key}`" in README, key
