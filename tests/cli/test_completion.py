"""`hitl completion`: a script for each shell."""

from __future__ import annotations

import pytest

from .conftest import Hitl

# completion and -v


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_should_print_a_script_that_completes(hitl: Hitl, shell: str) -> None:
    out = hitl("completion", shell).out
    assert "_HITL_COMPLETE" in out
    assert "hitl" in out


def test_should_know_no_other_shell(hitl: Hitl) -> None:
    result = hitl("completion", "sh")
    assert (result.status, result.err) == (
        2,
        "hitl: SHELL: must be one of bash, zsh, fish, got 'sh'\n",
    )
