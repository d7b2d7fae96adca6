"""A pytest plugin: what is tested is the copy, not the worktree that is installed as editable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

COPY = "HITL_MUTANTS_COPY"
NOT_THE_COPY = 9


def pytest_sessionstart() -> None:
    import hitl_approval
    import hitl_approval_cli
    import tests

    copy = Path(os.environ[COPY])
    for module in (hitl_approval, hitl_approval_cli, tests):
        if not Path(str(module.__file__)).is_relative_to(copy):
            pytest.exit(f"{module.__file__} is not in {copy}", returncode=NOT_THE_COPY)
