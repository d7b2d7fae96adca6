"""What programs read: the keys of every command's `--json`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval_cli import clock, parts
from hitl_approval_cli.browser_sign_in import SignedIn
from hitl_approval_cli.commands import login
from hitl_approval_cli.commands.local import mail, place
from hitl_approval_cli.sessions import FOLDER_VARIABLE
from tests.anything import any_opening, any_request
from tests.archived import SigningKms
from tests.docs.cli_reference import commands

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .logged import FakeLogs, deploy_functions
from .shapes import ITEM, SHAPES
from .test_doctor import Fine, fine
from .test_login import SIGN_IN

__all__ = ["fine"]

WORDS = {
    "repair": ["--all"],
    "reassign": ["--from", "bob", "--to", "cid", "--as", "bob"],
    "retract": ["--as", "bob"],
    "submit": ["--subject", "Q4"],
    "audit verify": ["--all"],
    "audit erase": ["ann"],
    "audit export": ["-o", "FILE"],
    "template": ["FILE"],
    "drain": ["--withdraw"],
    "drill": ["--approver", "ann", "--yes"],
    "policy test": ["RULES", "REQUEST"],
    "verify": ["a" * 32, "--context", "{}"],
}
OF_ONE = {
    "show",
    "reassign",
    "retract",
    "remind",
    "resume",
    "approve",
    "reject",
    "cancel",
    "status",
    "history",
    "logs",
}


@pytest.fixture(autouse=True)
def _executions_end(cloud: FakeCloud) -> None:
    cloud.executions.append(any_opening().after.execution_arn)
    cloud.execution = {"Status": "SUCCEEDED"}
    cloud.decisions = replace(cloud.decisions, operators=("bob",))
    cloud.outputs |= SIGN_IN
    deploy_functions(cloud)
    cloud.clients["logs"] = FakeLogs()


@pytest.fixture(autouse=True)
def _signs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    found = SignedIn("ann@example.com", "token", datetime(2999, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(login, "sign_in", lambda *_: found)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever would wait presses Ctrl-C; the page answers."""

    def pause(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clock, "pause", pause)
    monkeypatch.setattr(parts, "fetch", lambda *_: (404, parts.NO_LINK))


@pytest.fixture(autouse=True)
def _silent_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "running", lambda _: {"environment": {}})
    monkeypatch.setattr(mail, "sent_messages", lambda *_: [])


def test_should_document_every_command_that_has_json() -> None:
    with_json = {c.words for c in commands() if "as_json" in {p.name for p in c.command.params}}
    assert set(SHAPES) == with_json


@pytest.mark.parametrize("command", SHAPES)
def test_should_print_the_keys_that_are_documented(  # noqa: PLR0917  fixtures
    hitl: Hitl,
    tables: DynamoDbStore,
    fine: Fine,
    tmp_path: Path,
    command: str,
    cloud: FakeCloud,
) -> None:
    if command == "audit key":
        cloud.clients["kms"] = kms = SigningKms()
        cloud.outputs["ArchiveKeyArn"] = kms.create()
    named = ["bob", "dan"] if command in {"reassign", "retract", "remind"} else ()
    policy = Policy(quorum=Quorum.everyone() if named else Quorum.any_one())
    opening = any_opening(request=any_request(approvers=named), policy=policy, approval_id="a" * 32)
    approval = tables.create(opening).approval_id
    if command == "retract":
        assert hitl("approve", approval, "--yes", "--as", "bob").status == 0
    if command in {"resume", "verify"}:
        assert hitl("approve", approval, "--yes").status == 0
    words = [*([approval] if command in OF_ONE else []), *WORDS.get(command, [])]
    if command == "comment":
        words = [approval, "-m", "Which month?"]
    if command in {"approve", "reject", "cancel", "drain"}:
        words = [*words, "--yes", *(["--as", "rita"] if command == "cancel" else [])]
    for name, content in {"RULES": [], "REQUEST": {"subject": "Q4", "requester": "rita"}}.items():
        (tmp_path / name).write_text(json.dumps(content))
    words = [
        str(tmp_path / word) if word in {"FILE", "RULES", "REQUEST"} else word for word in words
    ]

    result = hitl(*command.split(), *words, "--json")

    # Of a drill: nobody was reached.
    assert (result.status, result.err) == (int(command == "drill"), "")
    answer = json.loads(result.out.splitlines()[-1])
    assert set(answer) == set(SHAPES[command])
    for item in answer["approvals"] if command in {"inbox", "list"} else []:
        assert set(ITEM) <= set(item)
