"""`hitl verify`: exit status 0 for exactly what was approved, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hitl_approval import file_digest
from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested

CONTEXT = {"amount": 70, "to": "Zo\u00eb"}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.tfplan"
    path.write_bytes(b"a plan")
    return path


@pytest.fixture
def approved(world: World, hitl: Hitl, plan: Path) -> str:
    approval_id = requested(world, files=[file_digest(plan)], context=CONTEXT)
    assert hitl("approve", approval_id, "--yes").status == 0
    return approval_id


def test_should_say_yes_to_the_very_file(hitl: Hitl, approved: str, plan: Path) -> None:
    result = hitl("verify", approved, "--file", str(plan))
    assert result.status == 0
    assert result.out.startswith(f"{approved} verified: plan.tfplan, approved by bob at ")


def test_should_say_yes_to_the_context_in_whatever_order(
    hitl: Hitl, approved: str, tmp_path: Path
) -> None:
    assert hitl("verify", approved, "--context", json.dumps(CONTEXT)).status == 0
    file = tmp_path / "payload.json"
    file.write_text('{"to": "Zo\\u00eb", "amount": 7.0e1}')
    result = hitl("verify", approved, "--context", f"@{file}", "--json")
    assert (result.status, result.json["verified"], result.json["problems"]) == (0, True, [])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a plan.", "the file 'plan.tfplan' has other bytes, 7 with SHA-256 "),
        (b"", "has other bytes, 0 with SHA-256 e3b0c44298fc, than were asked about, 6 with"),
    ],
)
def test_should_say_no_to_other_bytes(
    hitl: Hitl, approved: str, plan: Path, data: bytes, problem: str
) -> None:
    plan.write_bytes(data)
    result = hitl("verify", approved, "--file", str(plan))
    assert result.status == 1
    assert result.out.startswith(f"{approved} not verified: ")
    assert problem in result.out


def test_should_say_no_to_a_file_that_the_request_does_not_name(
    hitl: Hitl, approved: str, plan: Path
) -> None:
    other = plan.rename(plan.with_name("other.tfplan"))
    result = hitl("verify", approved, "--file", str(other))
    assert result.status == 1
    assert "is not about a file 'other.tfplan', only plan.tfplan" in result.out


def test_should_say_no_if_one_of_two_is_another(hitl: Hitl, approved: str, plan: Path) -> None:
    words = ["--file", str(plan), "--context", '{"amount": 71}']
    result = hitl("verify", approved, *words, "--json")
    (problem,) = result.json["problems"]
    assert (result.status, result.json["verified"]) == (1, False)
    assert problem.startswith("the payload (digest ")


@pytest.mark.parametrize(
    ("words", "status"),
    [([], "pending"), (["reject", "--yes"], "rejected"), (["cancel", "--yes"], "cancelled")],
)
def test_should_say_no_to_what_is_not_approved(
    hitl: Hitl, world: World, plan: Path, words: list[str], status: str
) -> None:
    approval_id = requested(world, files=[file_digest(plan)])
    if words:
        verb, *more = words
        who = "rita" if verb == "cancel" else "bob"
        assert hitl(verb, approval_id, *more, "--as", who).status == 0
    result = hitl("verify", approval_id, "--file", str(plan), "--json")
    assert (result.status, result.json["status"], result.json["verified"]) == (1, status, False)
    assert result.json["problems"][0].startswith(f"it is not approved: {status}")


def test_should_say_no_to_a_row_that_somebody_has_changed(
    hitl: Hitl, world: World, approved: str, plan: Path
) -> None:
    plan.write_bytes(b"another plan")
    row = world.store.approvals[approved]
    world.store.approvals[approved] = replace(row, files=(file_digest(plan),))
    result = hitl("verify", approved, "--file", str(plan))
    assert result.status == 1
    assert "the audit trail does not verify" in result.out


def test_should_say_no_to_an_approval_that_no_event_has(
    hitl: Hitl, world: World, plan: Path
) -> None:
    approval_id = requested(world, files=[file_digest(plan)])
    row = world.store.approvals[approval_id]
    world.store.approvals[approval_id] = replace(
        row, status="approved", decided_by="bob", decided_at=row.created_at
    )
    assert hitl("verify", approval_id, "--file", str(plan)).status == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "pass --file or --context"),
        (["--file", "missing"], "--file: missing: No such file"),
        (["--file", "."], "--file: .: Is a directory"),
        (["--file", "a\0b"], "--file: a"),
        (["--context", "{"], "--context: is not JSON"),
        (["--context", "@missing"], "--context: missing: No such file"),
    ],
)
def test_should_refuse_what_cannot_be_verified(
    hitl: Hitl, approved: str, words: list[str], problem: str
) -> None:
    result = hitl("verify", approved, *words)
    assert (result.status, result.out) == (2, "")
    assert problem in result.err


def test_should_show_the_files_of_a_request(hitl: Hitl, approved: str) -> None:
    shown = hitl("show", approved).out
    assert "File        plan.tfplan, 6 bytes, SHA-256 " in shown
    (file,) = hitl("show", approved, "--json").json["files"]
    assert file["sha256"] in shown


def test_should_verify_an_approval_of_neither_file_nor_context(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    assert hitl("approve", approval_id, "--yes").status == 0
    assert hitl("verify", approval_id, "--context", "{}").status == 0
    values: Any = hitl("verify", approval_id, "--context", "[]", "--json").json
    assert values["problems"] == [
        "the payload cannot have been approved: context: must be an object, got a list"
    ]
