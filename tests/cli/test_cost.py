"""`hitl cost`: the bill of a month, for people and for programs."""

from __future__ import annotations

import json
import re

import pytest

from hitl_approval_cli import main, output
from hitl_approval_cli.commands.cost import ALARM_METRICS, CUSTOM_METRICS
from tests.cli.conftest import Hitl


def test_should_print_the_bill_beside_the_patterns(hitl: Hitl) -> None:
    shown = hitl("cost", "--approvals-per-month", "2000", "--median-wait", "1h")
    assert shown.status == 0
    assert "2,000 approvals a month, decided after 1h" in shown.out
    assert "the pattern" in shown.out
    assert "runs out" not in shown.out


def test_should_give_the_bill_to_programs(hitl: Hitl) -> None:
    answer = json.loads(
        hitl("cost", "--approvals-per-month", "1000", "--median-wait", "4h", "--json").out
    )
    ours, theirs = answer["callback"], answer["pattern"]
    assert ours["per_month"] == pytest.approx(
        1000 * ours["per_approval"] + ours["standing"], rel=1e-3
    )
    assert sum(ours["items"].values()) == pytest.approx(ours["per_approval"], rel=1e-3)
    assert theirs["per_approval"] > 30 * ours["per_approval"]
    assert theirs["dies_after_seconds"] == pytest.approx(2 * 3600, rel=0.1)


@pytest.mark.parametrize("wait", ["0h", "4", "4w", "367d", "-1h", ""])
def test_should_refuse_a_wait_that_is_none(hitl: Hitl, wait: str) -> None:
    refused = hitl("cost", f"--median-wait={wait}")
    assert refused.status == 2
    assert refused.err.startswith("hitl: --median-wait: must look like")


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("approvals", ["1000", "90000000"])
def test_should_keep_every_figure_at_any_width(
    hitl: Hitl, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    width: int, approvals: str,
) -> None:  # fmt: skip
    words = ["cost", "--approvals-per-month", approvals]
    whole = hitl(*words).out
    monkeypatch.setattr(output, "out", output.console(width=width))
    assert main.run(words) == 0
    shown = capsys.readouterr().out
    assert sorted(re.findall(r"\$\S+", shown)) == sorted(re.findall(r"\$\S+", whole))
    assert all(len(line) <= width for line in shown.splitlines())
    assert "…" not in shown
    for title in ("callback", "polling", "the pattern"):
        assert title in shown


def test_should_add_what_monitoring_costs(hitl: Hitl) -> None:
    words = ["cost", "--approvals-per-month", "1000", "--median-wait", "4h"]
    plain = json.loads(hitl(*words, "--json").out)
    monitored = json.loads(hitl(*words, "--monitoring", "--json").out)
    more = 0.30 * CUSTOM_METRICS + 0.10 * ALARM_METRICS + 3
    for design in ("callback", "polling"):
        added = monitored[design]["standing"] - plain[design]["standing"]
        assert added == pytest.approx(more)
        assert monitored[design]["per_approval"] == plain[design]["per_approval"]
    assert monitored["pattern"] == plain["pattern"]
    assert "standing: the clocks, monitoring" in hitl(*words, "--monitoring").out
