"""What is where: a test of its name for every module, and no module that is too long to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.synth import ROOT

MODULES = sorted((ROOT / "stacks" / "hitl_approval_cdk").glob("[!_]*.py"))
MAX_LINES = 400


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_should_have_a_test_of_its_name(module: Path) -> None:
    assert Path(__file__).with_name(f"test_{module.name}").exists()
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
