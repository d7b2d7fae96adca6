"""What `docs/embedding.md` shows is run, block after block, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import assertions

from hitl_approval.testing import Approvals, RunFailed
from hitl_approval_cdk.testing import assert_attached

PAGE = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text(encoding="utf-8")


def namespace() -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, shown)
    return shown


def test_should_run_what_it_shows() -> None:
    shown = namespace()
    assertions.Template.from_stack(shown["stack"])
    assert_attached(shown["refund"], shown["approvals"])
    with Approvals() as approvals:
        shown["test_should_refund_what_two_leads_approved"](approvals)


def test_should_gate_the_tool_it_shows() -> None:
    agent = namespace()["agent"]
    with Approvals() as approvals:
        run = approvals.start(agent, {"table": "orders"})
        assert approvals.pending()[0].subject == 'Run delete_table(name="orders", force=true)'
        approvals.approve(by="ann@example.com")
        assert run.result() == "deleted orders"
    with Approvals() as approvals:
        run = approvals.start(agent, {"table": "orders"})
        approvals.reject(by="ann@example.com", comments="in use")
        with pytest.raises(RunFailed, match="rejected by ann@example"):
            run.result()
