"""`hitl logs`: what people and programs see of it, once and as it goes on."""

from __future__ import annotations

import json

import pytest

from hitl_approval.testing import World
from hitl_approval_cli import clock
from tests.anything import NOW, any_opening

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .logged import FakeLogs, deploy_functions

AT = int(NOW.timestamp() * 1000)


@pytest.fixture
def logs(cloud: FakeCloud) -> FakeLogs:
    deploy_functions(cloud)
    cloud.clients["logs"] = found = FakeLogs()
    return found


@pytest.fixture
def approval(world: World) -> str:
    return world.store.create(any_opening(now=NOW)).approval_id


def said(text: str, level: str = "INFO") -> str:
    return f"[{level}]\t2026-01-02T03:04:05.000Z\tr\t{text}\n"


def test_should_follow_one_request_over_all_functions(
    hitl: Hitl, logs: FakeLogs, approval: str
) -> None:
    closed = said(f"closed after its expiry approval_id={approval}", "WARNING")
    logs.log("sweep-1", AT + 2000, closed)
    logs.log("workflow", AT, said(f"requested approval_id={approval}"))
    logs.log("workflow", AT - 1, said(f"before it was made {approval}"))
    result = hitl("logs", approval)
    assert result.status == 0
    first, second = result.out.splitlines()
    assert first.split()[2:] == ["Workflow", "INFO", "requested"]  # nor which approval, again
    assert "Sweep" in second
    assert "WARNING  closed after its expiry" in second
    answer = hitl("logs", approval, "--json").json
    assert answer["approval_id"] == approval
    assert [line["function"] for line in answer["lines"]] == ["Workflow", "Sweep"]


def test_should_show_the_first_of_several_lines(hitl: Hitl, logs: FakeLogs, approval: str) -> None:
    logs.log("workflow", AT, said(f"not noted {approval}\nTraceback:\n  at x", "ERROR"))
    out = hitl("logs", approval).out
    assert "Traceback" not in out
    assert "(and 2 lines more: --json)" in out


def test_should_say_that_nothing_was_logged(hitl: Hitl, logs: FakeLogs, approval: str) -> None:
    out = hitl("logs", approval).out
    assert out.startswith(f"no function has logged anything about {approval} since 2")


def test_should_read_what_was_logged_since_a_time_without_the_record(
    hitl: Hitl, logs: FakeLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    removed = "an-approval-of-last-year-which-is-gone-from-the-table"
    logs.log("workflow", AT - 30_000, said(f"requested approval_id={removed}"))
    assert len(hitl("logs", removed, "--since", "1m", "--json").json["lines"]) == 1
    assert hitl("logs", removed, "--since", "10s", "--json").json["lines"] == []
    assert hitl("logs", removed).status == 1
    assert hitl("logs", removed, "--since", "soon").status == 2


def test_should_read_the_log_of_a_function_of_yours(
    hitl: Hitl, logs: FakeLogs, approval: str
) -> None:
    logs.log("refund", AT, f"asked {approval}")
    assert hitl("logs", approval, "--json").json["lines"] == []
    [line] = hitl("logs", approval, "--log-group", "/aws/lambda/refund", "--json").json["lines"]
    assert (line["function"], line["level"]) == ("refund", None)


def test_should_show_what_one_function_has_logged(
    hitl: Hitl, logs: FakeLogs, approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the docs call it: its name in Lambda is nowhere to be read but in the stack."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    logs.log("sweep-1", AT - 7_200_000, said("two hours ago"))
    logs.log("sweep-1", AT - 3, "START RequestId: 8f14e45f Version: 1\n")
    logs.log("sweep-1", AT - 2, said("swept"))
    logs.log("sweep-1", AT - 2, '{"_aws": {"Timestamp": 1}, "Swept": 1}\n')
    logs.log("sweep-1", AT - 1, said(f"closed {approval}"))
    logs.log("workflow", AT - 1, said(f"asked {approval}"))
    shown = [
        line.split("INFO")[1].strip()
        for line in hitl("logs", "--function", "sweep").out.splitlines()
    ]
    assert shown == ["swept", f"closed {approval}"]
    answer = hitl("logs", "--function", "Sweep", "--since", "3h", "--json").json
    assert (answer["approval_id"], len(answer["lines"])) == (None, 3)
    both = hitl("logs", approval, "--function", "sweep", "--since", "1h", "--json").json
    assert [line["message"] for line in both["lines"]] == [f"closed {approval}"]
    assert hitl("logs", "--function", "messenger").out.startswith(
        "the messenger function has logged nothing since 2"
    )


def test_should_say_which_functions_there_are(hitl: Hitl, logs: FakeLogs) -> None:
    result = hitl("logs", "--function", "pages")
    assert result.status == 2
    assert "--function: must be one of messenger, sweep, workflow, got 'pages'" in result.err
    assert hitl("logs").status == 2


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_should_stay_and_show_each_line_once(
    hitl: Hitl,
    logs: FakeLogs,
    approval: str,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    logs.log("workflow", AT, said(f"requested {approval}"))
    later = [
        ("messenger-1", AT + 60_000, said(f"sent {approval}")),
        ("workflow", AT + 50_000, said(f"late {approval}")),
    ]

    def pause(_: float) -> None:
        if not later:
            raise KeyboardInterrupt
        logs.log(*later.pop(0))

    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(clock, "pause", pause)
    result = hitl("logs", approval, "--follow", *words)
    assert result.status == 0
    lines = result.out.splitlines()
    assert len(lines) == 3
    for line, text in zip(lines, ("requested", "sent", "late"), strict=True):
        assert text in (json.loads(line)["message"] if words else line)
    assert max(asked["startTime"] for asked in logs.asked) == AT + 30_000


def test_should_show_nothing_that_moves_the_cursor(
    hitl: Hitl, logs: FakeLogs, approval: str
) -> None:
    logs.log("workflow", AT, f"\x1b[2J[bold]{approval}")
    out = hitl("logs", approval).out
    assert "\x1b" not in out
    assert "[bold]" in out
