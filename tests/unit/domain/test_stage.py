"""Stages and the steps of an escalation: what they must be, here and as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage, escalation_from_json, stages_from_json
from tests.anything import any_request

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (Stage, "must name its approvers"),
        (lambda: Stage("ann"), "must be a list of names, got a string"),
        (lambda: Stage([""]), "must be names"),
        (lambda: Stage(["ann"], 2), "must be a Quorum, got a number"),  # type: ignore[arg-type]
        (lambda: Stage(["ann"], Quorum.of({"a": 1})), "or Quorum.of names them, not both"),
        (lambda: Stage(["ann"], timeout=timedelta(0)), "whole seconds, at least 1"),
        (lambda: Stage(["ann"], timeout=60), "must be a timedelta"),  # type: ignore[arg-type]
        (lambda: Escalate(HOUR, []), "must name who is asked then"),
        (lambda: Escalate(HOUR, "leads"), "must be a list of names"),
        (lambda: Escalate(timedelta(seconds=1.5), ["a"]), "whole seconds"),
        (lambda: Escalate(HOUR, ["a"], "approve"), "must be add or replace, got 'approve'"),  # type: ignore[arg-type]
    ],
)
def test_should_refuse_what_is_none(made: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stages": "ann"}, "stages: must be a list of Stage, got a string"),
        ({"stages": [["ann"]]}, "stages: must be a list of Stage, got a list"),
        ({"stages": [Stage(["ann"])] * 11}, "stages: must be at most 10, got 11"),
        ({"stages": [Stage(["ann"])], "approvers": ["bob"]}, "stages: say who is asked"),
        ({"stages": [Stage(["ann"])], "quorum": Quorum.any_one()}, "stages: say who is asked"),
        ({"quorum": Quorum.of({"a": 1}), "approvers": ["bob"]}, "quorum: names the groups"),
        ({"escalation": [HOUR]}, "escalation: must be a list of Escalate"),
        (
            {"escalation": [Escalate(HOUR, ["a"]), Escalate(HOUR, ["b"])]},
            "escalation: each step of an escalation must come later",
        ),
    ],
)
def test_should_refuse_a_request_that_cannot_be_meant(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        any_request(**fields)


@pytest.mark.parametrize(
    ("read", "values", "message"),
    [
        (stages_from_json, None, "stages: must be a list of objects, got null"),
        (stages_from_json, ["ann"], "stages: a stage must be an object, got a string"),
        (stages_from_json, [{"approver": ["ann"]}], "stages: a stage has no 'approver'"),
        (stages_from_json, [{"approvers": ["ann"], "timeout_seconds": "60"}], "whole number"),
        (stages_from_json, [{"approvers": ["ann"], "timeout_seconds": 10**20}], "longer than any"),
        (escalation_from_json, {}, "stages: must be a list of objects, got an object"),
        (escalation_from_json, [{"to": ["a"]}], "an escalation's after_seconds is missing"),
        (escalation_from_json, [{"after_seconds": 9}], "an escalation's to is missing"),
        (escalation_from_json, [{"after_seconds": True, "to": ["a"]}], "whole number"),
    ],
)
def test_should_refuse_json_that_is_none(read: Any, values: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read(values, "stages")
