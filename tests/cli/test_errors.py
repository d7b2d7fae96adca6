"""Wrong words: one line that says which."""

from __future__ import annotations

import json

import pytest

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import WHOLE, pending


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (
            ["show", "12"],
            1,
            "no approval has the id 12: give at least 6 of its first characters",
        ),
        (["show", "1234567"], 1, "no approval has the id 1234567 or one that begins so"),
        (["show", "an-id"], 1, "no approval has the id an-id"),
        (["show", ""], 2, "ID: must be 1 to 64 letters, digits, - or _, got ''"),
        (["list", "--status", "all"], 2, "--status: must be one of pending, approved, rejected,"),
        (["list", "--cursor", "x"], 2, "--cursor: is not one that a list gave"),
        (["list", "--requester", ""], 2, "--requester: must not be empty"),
        (["approve", WHOLE, "--yes", "--as", ""], 2, "--as: must not be empty"),
        (["reject", WHOLE, "--yes", "-m", "x" * 2_001], 2, "--message: must be at most 2000"),
        (["submit", "--subject", ""], 2, "--subject: must not be empty"),
        (["submit", "--subject", "x", "--context", "5"], 2, "--context: must be an object, got a"),
        (
            ["submit", "--subject", "x", *(f"--approver=p{n}" for n in range(501))],
            2,
            "--approver: must be at most 500, got 501",
        ),
        (["--stack", "x", "list"], 2, "--stack stands behind the command: hitl COMMAND --stack"),
        (["--json", "list"], 2, "--json stands behind the command: hitl COMMAND --json"),
        (["audit", "-v", "verify"], 2, "-v stands behind the command: hitl audit COMMAND -v"),
    ],
    ids=str,
)
def test_should_say_what_is_wrong_in_the_words_that_were_typed(
    hitl: Hitl, world: World, words: list[str], status: int, line: str
) -> None:
    pending(world)
    result = hitl(*words)
    said = json.loads(result.err)["error"]["message"] if "--json" in words else result.err
    assert (result.status, result.out) == (status, "")
    assert said.removeprefix("hitl: ").startswith(line)
