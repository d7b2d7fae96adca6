"""`docs/people.md`: its code runs, and what it names is there."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from hitl_approval.domain.stage import MAX_STAGES
from hitl_approval_cli.turn_words import stage_of, step_of

PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_should_run() -> None:
    deployment, request = BLOCKS
    names: dict[str, Any] = {}
    exec(deployment, names)
    made: dict[str, Any] = {}
    exec(request, made)
    stages = made["request"].stages
    assert [list(stage.approvers) for stage in stages] == [["ann"], ["leads"], ["board"]]
    assert stages[1].timeout == timedelta(hours=8)


def test_should_type_stages_and_steps_as_the_command_takes_them() -> None:
    [line] = re.findall(r"`hitl submit (--stage [^`]+)`", PAGE)
    assert [stage_of(word)["approvers"] for word in re.findall(r"--stage (\S+)", line)] == [
        ["ann"], ["leads"], ["board"],
    ]  # fmt: skip
    [step] = re.findall(r"`hitl submit --escalate (\S+)`", PAGE)
    assert step_of(step)["to"] == ["leads"]


def test_should_name_the_most_stages() -> None:
    assert MAX_STAGES == 10
    assert "at most ten stages" in PAGE
