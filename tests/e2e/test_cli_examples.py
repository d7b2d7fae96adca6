"""Every example in the command's help, run in a terminal against a deployed stack."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitl_approval import file_digest
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval_cli.local import is_local_cloud
from tests.docs.cli_reference import commands

from .conftest import Live, eventually
from .typed import type_lines

EXAMPLE_ID = "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c"
OF_DECIDED = {"resume", "verify"}
"""Commands whose example is about an approval that has been decided."""
LOCAL = ["local up", "local env", "local mail", "local inbox", "local down", "local demo"]
"""In this order: they are about one local cloud of their own."""
SAY = {
    "login": "nobody can sign in to this deployment from a terminal",
    "audit key": "the deployment has no archive",
    "drill": "APPROVER",
    "doctor": "dead letters",
    "audit erase": "would be erased from",
}
"""Commands that need what this deployment does not have, or whose exit status says what the tests
before have left behind, and what they say."""
OF_A_PROGRAM = {"mcp"}
"""Commands that a program speaks to, which `tests/e2e/test_mcp.py` starts with its client."""

EXAMPLES = [(c.words, example) for c in commands() for example in c.examples]
OF_A_DEPLOYMENT = [
    (words, example)
    for words, example in EXAMPLES
    if not words.startswith("local ") and words not in OF_A_PROGRAM
]
Typed = Callable[..., str]


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    """A terminal in a folder of its own."""
    return terminal(tmp_path)


def terminal(folder: Path) -> Typed:
    """Type a line in a terminal, and `y` if it asks; what is shown. It must end well."""

    def type_(line: str, **variables: str) -> str:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return type_lines(
            line, folder=folder, environment={**os.environ, **variables, "PATH": path}
        )

    return type_


OF_NAMED = {"remind", "reassign", "retract"}
"""Commands whose example needs people who are asked by name."""
REQUESTER = "user@example.com"
"""As `Live.submit` has it."""


def test_should_have_no_example_that_a_day_makes_wrong() -> None:
    """A date that has not come yet will have, one day."""
    assert not [example for _, example in EXAMPLES if re.search(r"\b20\d\d-", example)]


def test_should_know_an_example_of_every_command() -> None:
    assert {words for words, _ in EXAMPLES} == {c.words for c in commands()}


@pytest.mark.parametrize(("words", "example"), OF_A_DEPLOYMENT, ids=str)
def test_should_do_what_its_help_shows(
    callback_live: Live, typed: Typed, tmp_path: Path, words: str, example: str
) -> None:
    plan = tmp_path / "plan.tfplan"
    plan.write_bytes(b"a plan")
    big = {"id": "big", "when": {"field": "amount", ">=": 10_000}, "approvers": ["cfo"]}
    (tmp_path / "rules.json").write_text(json.dumps([big]))
    asks_much = {"subject": "Refund", "requester": "rita", "context": {"amount": 10_000}}
    (tmp_path / "request.json").write_text(json.dumps(asks_much))
    if EXAMPLE_ID in example:
        named: dict[str, Any] = {"approvers": ["ann", "bob"]} if words in OF_NAMED else {}
        if words == "retract":  # one answer is not enough
            both = {"approvers": ["ann", "bob"], "quorum": "everyone", "quorum_count": 0}
            named = {"stages": [both]}
        if words == "verify":
            named["files"] = [file_digest(plan)]
        started = callback_live.submit(**named)
        approval_id = started["approval_id"]
        if words == "retract":
            callback_live.deployment.call(
                {
                    "action": "decide",
                    "decision": "approved",
                    "approval_id": approval_id,
                    "approver": "ann",
                }
            )
        if "--answers" in example:
            asks = {"action": "comment", "comments": "Which account?", "question": True}
            callback_live.deployment.call({**asks, "approval_id": approval_id, "approver": "ann"})
        if words in OF_DECIDED:
            callback_live.decide(approval_id, "approved")
        if words == "repair":
            _put_aside(callback_live, approval_id)
        # Who asked withdraws, and answers.
        mine = words == "cancel" or "--answers" in example
        me = {"HITL_USER": REQUESTER} if mine else {}
        command = example.replace(EXAMPLE_ID, approval_id)
        shown = typed(command, HITL_STACK=callback_live.stack, **me)
        assert approval_id in shown or words in {"status", "history", "logs"}
        if words == "repair":  # nothing is left aside, which hitl doctor would show
            callback_live.deployment.call(
                {"action": "cancel", "approval_id": approval_id, "approver": REQUESTER}
            )
        ended = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}
        if words in ended:
            assert callback_live.result(started["execution_arn"])["decision"] == ended[words]
    elif words in SAY:
        assert SAY[words] in typed(f"{example} || true", HITL_STACK=callback_live.stack)
    else:
        shown = typed(example, HITL_STACK=callback_live.stack, HITL_CONFIG_DIR=str(tmp_path))
        _, _, file = example.partition(" > ")
        assert (tmp_path / file).read_text() if file else shown


def _put_aside(live: Live, approval_id: str) -> None:
    """As the sweep does with what it cannot read."""
    store = DynamoDbStore(
        client=live.deployment.client("dynamodb"),
        approvals_table=live.deployment.output("ApprovalsTableName"),
        audit_table=live.deployment.output("AuditTableName"),
    )
    store.postpone(approval_id, found_on="pending", tries=9, until=None, reason="a test")


def test_should_do_what_the_local_examples_show(typed: Typed, tmp_path: Path) -> None:
    lines = [line for words in LOCAL for known, line in EXAMPLES if known == words]
    assert {words for words, _ in EXAMPLES if words.startswith("local ")} == set(LOCAL)
    folder = str(tmp_path / "state")
    try:
        up, env, mail, inbox, down, demo = lines
        assert "runs at http://127.0.0.1:" in typed(up, HITL_LOCAL_DIR=folder)
        pid = json.loads((tmp_path / "state" / "local.json").read_text())["pid"]
        listed = typed(f"{env}; hitl list", HITL_LOCAL_DIR=folder)
        assert "No pending approvals in " in listed
        assert "No messages yet" in typed(mail, HITL_LOCAL_DIR=folder)
        typed(f"{up} -c sign_in=cognito", HITL_LOCAL_DIR=folder)
        assert "http://" in typed(inbox, HITL_LOCAL_DIR=folder)
        assert "Stopped." in typed(down, HITL_LOCAL_DIR=folder)
        eventually(lambda: not is_local_cloud(pid), "end of the local cloud")
        assert "everything is stopped" in typed(demo, HITL_LOCAL_DIR=folder)
    finally:
        typed("hitl local down", HITL_LOCAL_DIR=folder)
