"""`hitl stats`: how many there are and how long people take."""

from __future__ import annotations

import io
import json
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from hitl_approval.testing import World
from hitl_approval_cli import main, output
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .deciding import decided
from .pending import filed

# stats


def test_should_count_and_time_the_decisions(hitl: Hitl, world: World) -> None:
    for minutes in range(1, 21):
        decided(world, "approved" if minutes % 2 else "rejected", minutes)
    world.store.create(any_opening(now=world.clock.now()))
    answer = hitl("stats", "--since", "2026-01-01", "--json").json
    assert answer["by_status"] == {
        "pending": 1, "approved": 10, "rejected": 10, "timeout": 0, "cancelled": 0,
    }  # fmt: skip
    assert answer["decision_seconds"] == {"p50": 600.0, "p95": 1140.0}
    out = hitl("stats", "--since", "2026-01-01").out
    assert "half within 10.0 min (p50), nearly all within 19.0 min (p95), of 20 decisions" in out


def test_should_say_what_still_waits_for_somebody_who_has_left(hitl: Hitl, world: World) -> None:
    for number in range(1, 6):
        filed(
            world,
            str(number) * 32,
            request=any_request(requester="rita", approvers=["Ann O'Neill", "bob"]),
            timeout=timedelta(hours=number),
        )
    filed(world, "9" * 32, request=any_request(requester="rita", approvers=["cid"]))
    answer = hitl("stats", "--approver", "ann o'neill", "--since", "2026-01-01", "--json").json
    assert answer["by_status"]["pending"] == 5
    ids = [str(number) * 32 for number in range(1, 6)]
    assert answer["waiting"].pop("oldest")
    assert answer["waiting"].pop("next_expiry")
    assert answer["waiting"] == {"approver": "ann o'neill", "approvals": 5, "approval_ids": ids}
    out = hitl("stats", "--approver", "ann o'neill", "--since", "2026-01-01").out
    assert "5 wait for ann o'neill, the oldest for " in out
    commands = [line.strip() for line in out.splitlines() if line.startswith("  hitl reassign")]
    assert len(commands) == 3
    assert (
        "  COLLEAGUE (not asked yet) and OPERATOR are of this deployment: it names nobody; "
        "operators: none\n" in out
    )
    assert "  and 2 more: hitl inbox --mine --as " in out
    words = shlex.split(commands[0].removeprefix("hitl ").replace("COLLEAGUE", "cid"))
    assert words[-2:] == ["--as", "OPERATOR"]
    assert hitl(*words[:-1], "Ann O'Neill").status == 0


def test_should_count_a_place_that_was_handed_over(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = "1" * 32
    filed(world, approval_id, request=any_request(requester="rita", approvers=["ann", "bob"]))
    hitl("reassign", approval_id, "--to", "zoe", "--as", "ann")
    approval = world.store.approvals[approval_id]
    world.inbox.add(approval, ["zoe"])
    answer = hitl("stats", "--approver", "zoe", "--since", "2026-01-01", "--json").json
    assert (answer["by_status"]["pending"], answer["waiting"]["approvals"]) == (1, 1)
    again = hitl("stats", "--approver", "bob", "--since", "2026-01-01", "--json").json
    assert (again["by_status"]["pending"], again["waiting"]["approvals"]) == (1, 1)


def test_should_make_no_percentiles_of_one_decision(hitl: Hitl, world: World) -> None:
    decided(world, "approved", 10)
    out = hitl("stats", "--since", "2026-01-01").out
    assert "Time to decision: 10.0 min, of 1 decision\n" in out


def test_should_say_that_nothing_waits_for_somebody(hitl: Hitl, world: World) -> None:
    assert "Nothing in hitl-approval waits for dan." in hitl("stats", "--approver", "dan").out
    answer = hitl("stats", "--approver", "dan", "--json").json
    assert answer["waiting"] == {
        "approver": "dan", "approvals": 0, "oldest": None, "next_expiry": None, "approval_ids": [],
    }  # fmt: skip
    assert hitl("stats", "--json").json["waiting"] is None


def test_should_say_that_nothing_was_decided(hitl: Hitl, world: World) -> None:
    answer = hitl("stats", "--json").json
    assert answer["decision_seconds"] == {"p50": None, "p95": None}
    assert "Nothing in hitl-approval was decided by people." in hitl("stats").out


def test_should_count_under_a_bar_in_a_terminal(
    hitl: Hitl,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    decided(world)
    piped = hitl("stats")
    assert piped.err == ""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "err", terminal)
    assert main.run(["stats"]) == 0
    assert capsys.readouterr().out == piped.out
    assert "Counting" in terminal.file.getvalue()  # type: ignore[attr-defined]


def test_should_tell_time_in_utc_under_json(hitl: Hitl, world: World) -> None:
    answer = json.loads(hitl("stats", "--since", "2026-01-01", "--json").out)
    assert datetime.fromisoformat(answer["since"]).astimezone(UTC).year in {2025, 2026}


@pytest.mark.parametrize("width", [40, 80, 140])
def test_should_keep_every_count_at_any_width(
    hitl: Hitl, world: World, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, width: int,
) -> None:  # fmt: skip
    decided(world)
    expected = hitl("stats", "--since", "2026-01-01").out.split()
    monkeypatch.setattr(output, "out", output.console(width=width))
    assert main.run(["stats", "--since", "2026-01-01"]) == 0
    assert capsys.readouterr().out.split() == expected
