"""`docs/threat-model.md` names, for each threat, tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
THREATS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("threat", THREATS)
def test_should_name_a_test_that_exists(threat: str) -> None:
    defence, _, shown_by = THREATS[threat].partition("Shown by ")
    assert defence.strip()
    named = re.findall(r"`([^`]+)`", shown_by)
    assert named
    for name in named:
        file, *_, test = name.split("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), name
