"""The agents' contract with the lowest version of each framework, by the wheel: `agents-lowest`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import ROOT
from .wheel import CleanVenv

LOWEST = dict(
    line.split("==") for line in (ROOT / "tests/agents/lowest.txt").read_text("utf-8").split()
)
FRAMEWORKS = {
    "langgraph": "langgraph",
    "openai-agents": "openai-agents",
    "pydantic-ai": "pydantic-ai-slim",
    "strands": "strands-agents",
}
"""Extra -> distribution."""
OF_THE_TESTS = ("hypothesis", "mcp", "moto", "pytest-socket", "pytest-timeout", "pytest-xdist")


@pytest.mark.parametrize("extra", FRAMEWORKS)
def test_should_keep_the_contract_with_the_lowest_version(
    extra: str, wheel: Path, tmp_path: Path
) -> None:
    name, module = FRAMEWORKS[extra], extra.replace("-", "_")
    pin = f"{name}=={LOWEST[name]}"
    extras = f"[cli,testing,{extra}]"
    venv = CleanVenv.make(tmp_path / "venv", wheel, extras, pin, *OF_THE_TESTS, at="<=")
    assert venv.installed[name] == LOWEST[name]
    files = ("tests/agents/test_contract.py", f"tests/agents/test_{module}.py")
    options = ("-v", "-p", "no:cacheprovider", "-k", module)
    said = venv.run("-m", "pytest", *options, *files, cwd=ROOT)
    assert " passed" in said
    assert "skipped" not in said
