"""One rule for whoever answers: what was typed is wrong (2), or the deployment says no (1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from hitl_approval.testing import World
from hitl_approval_cli.deployment import Deployment, _refusal
from tests.docs.cli_reference import commands

from .conftest import Hitl
from .pending import WHOLE, requested

DECIDING: Mapping[str, tuple[str, ...]] = {
    "approve": (WHOLE, "--yes", "--set", "reason=as ordered", "--set", "amount=7"),
    "reject": (WHOLE, "--yes"),
    "cancel": (WHOLE, "--yes"),
    "comment": (WHOLE, "-m", "why?"),
    "reassign": (WHOLE, "--from", "ann", "--to", "cid"),
    "remind": (WHOLE,),
    "retract": (WHOLE,),
    "delegate": ("--to", "cid", "--from", "2026-01-05", "--until", "2026-01-09", "--for", "ann"),
}
"""Each command that answers, or says who does, with every option that it sends."""
NOT_TYPED = {"action", "decision", "approval_id", "content_digest"}
"""What it sends that no option says."""


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the deployment answers to whatever is not read, and what it was sent last."""
    call = Deployment.call
    standing: dict[str, Any] = {"code": "", "field": "", "sent": {}}

    def answer(self: Deployment, payload: Mapping[str, Any]) -> dict[str, Any]:
        if payload["action"] == "get":
            return call(self, {**payload, "approval_id": standing["read"]})
        standing["sent"] = payload
        field = standing["field"]
        raise _refusal(400, standing["code"], f"{field}: is not as it must be", {"field": field})

    monkeypatch.setattr(Deployment, "call", answer)
    return standing


@pytest.mark.parametrize("words", DECIDING)
def test_should_end_alike_by_a_no_and_by_a_wrong_option(
    hitl: Hitl, world: World, refusing: dict[str, Any], words: str
) -> None:
    form = {"type": "object", "properties": {"reason": {"type": "string"}}}
    refusing["read"] = requested(world, context={"amount": 5}, form=form, editable=["amount"])
    typed = (words, *DECIDING[words], "--as", "ann")

    refusing |= {"code": "FORBIDDEN", "field": "approver"}
    refused = hitl(*typed)
    assert (refused.status, refused.err.rstrip().endswith("(FORBIDDEN)")) == (1, True)

    [command] = [one for one in commands() if one.words == words]
    known = {name for option in command.command.params for name in option.opts}
    sent = {key: value for key, value in refusing["sent"].items() if key not in NOT_TYPED}
    assert sent
    for key, value in sent.items():
        inner = [f"{key}.{name}" for name in value] if isinstance(value, dict) else [key]
        for field in inner:
            refusing |= {"code": "INVALID_REQUEST", "field": field}
            wrong = hitl(*typed)
            options = set(re.findall(r"--[a-z-]+", wrong.err))
            assert (wrong.status, len(options), options <= known) == (2, 1, True), wrong.err
            assert hitl(*typed, "--json").status == 2
            assert "details" in json.loads(hitl(*typed, "--json").err)["error"]


def test_should_know_every_command_that_answers() -> None:
    answering = {one.words for one in commands() if "--as" in _options(one)}
    assert answering - DECIDING.keys() == {
        *("inbox", "local inbox", "drain"),  # which only read
        "mcp",  # whose client is answered, see test_mcp.py
        "drill",  # what it asks is its own; it withdraws, see test_drill.py
    }


def _options(one: Any) -> set[str]:
    return {name for option in one.command.params for name in option.opts}
