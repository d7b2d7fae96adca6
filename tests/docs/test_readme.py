"""What the README shows is run, and what it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hitl_approval.contract import OUTPUTS

ROOT = Path(__file__).parents[2]
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
