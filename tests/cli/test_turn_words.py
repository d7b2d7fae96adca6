"""Stages and escalations as they are typed."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.stage import escalation_from_json, stages_from_json
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.turn_words import stage_of, step_of

from .conftest import Hitl


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("ann", {"approvers": ["ann"]}),
        ("ann, bob@example.com", {"approvers": ["ann", "bob@example.com"]}),
        ("leads:2", {"approvers": ["leads"], "quorum": "at_least", "quorum_count": 2}),
        ("ann,bob:2", {"approvers": ["ann", "bob"], "quorum": "at_least", "quorum_count": 2}),
        (
            "finance:1,security:2",
            {
                "quorum": "groups",
                "quorum_count": 3,
                "quorum_groups": [
                    {"name": "finance", "count": 1, "people": []},
                    {"name": "security", "count": 2, "people": []},
                ],
            },
        ),
    ],
)
def test_should_read_a_stage(typed: str, fields: dict[str, Any]) -> None:
    assert stage_of(typed) == fields
    assert stages_from_json([fields], "stages")


@pytest.mark.parametrize("typed", ["", ",", "ann,,bob", "ann:1,bob", "a:1,b,c:2"])
def test_should_refuse_what_is_no_stage(typed: str) -> None:
    with pytest.raises(CliError, match="--stage: must look like ann,bob, leads:2 or finance:1"):
        stage_of(typed)


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("8h:leads", {"after_seconds": 28_800, "to": ["leads"], "mode": "add"}),
        ("2d:ann,cfo:replace", {"after_seconds": 172_800, "to": ["ann", "cfo"], "mode": "replace"}),
    ],
)
def test_should_read_a_step(typed: str, fields: dict[str, Any]) -> None:
    assert step_of(typed) == fields
    assert escalation_from_json([fields], "escalation")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("leads", "must look like 8h:leads"),
        ("8h:", "must look like 8h:leads"),
        ("8h::replace", "must look like 8h:leads"),
        ("soon:leads", "must look like 45s, 30m, 8h or 7d, got 'soon'"),
    ],
)
def test_should_refuse_what_is_no_step(typed: str, said: str) -> None:
    with pytest.raises(CliError, match=f"--escalate: {said}"):
        step_of(typed)


def test_should_refuse_in_one_line_and_with_the_status_of_arguments(hitl: Hitl) -> None:
    for words in (["--stage", "a:1,b"], ["--escalate", "leads"], ["--stage", "ann:0"]):
        result = hitl("submit", "--subject", "Q4", *words)
        assert result.status == 2
        assert len(result.err.splitlines()) == 1
