"""`hitl policy`: what rules would do, and which a deployment has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.domain.rule import Rules

from .conftest import Hitl
from .fake_cloud import FakeCloud

RULES: list[dict[str, Any]] = [
    {"id": "small", "when": {"field": "amount", "<": 100}, "then": "approve"},
    {"id": "big", "when": {"field": "amount", ">=": 10_000}, "approvers": ["cfo"], "quorum": 1},
    {"id": "eu", "when": {"field": "country", "in": ["DE", "AT"]}, "quorum": "everyone"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    return tmp_path


def ask(folder: Path, **fields: Any) -> None:
    request = {"subject": "Refund", "requester": "rita", **fields}
    (folder / "request.json").write_text(json.dumps(request))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"context": {"amount": 5}}, "Rule small: approved at once, nobody is asked."),
        ({"context": {"amount": 10_000}}, "Rule big: asks cfo; one must approve."),
        (
            {"context": {"amount": 500, "country": "DE"}},
            "Rule eu: asks the deployment's approvers; all of them must approve.",
        ),
        (
            {"context": {"amount": 500, "country": "CH"}},
            "No rule matches: the deployment's approvers and quorum decide.",
        ),
        (
            {"context": {"amount": 5}, "approvers": ["ann"]},
            (
                "Rule small does not approve, because the request names who decides, how many, or "
                "what they fill in: "
                "people decide, by the deployment's approvers and quorum."
            ),
        ),
    ],
)
def test_should_say_what_would_become_of_a_request(
    hitl: Hitl, folder: Path, fields: dict[str, Any], said: str
) -> None:
    ask(folder, **fields)
    result = hitl("policy", "test", "rules.json", "request.json")
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[-1] == said


def test_should_say_of_each_rule_why_it_does_not_match(hitl: Hitl, folder: Path) -> None:
    ask(folder, context={"amount": "7"})
    result = hitl("policy", "test", "rules.json", "request.json")
    assert [line.split() for line in result.out.splitlines()[:4]] == [
        ["RULE", "RESULT", "WHY"],
        ["small", "unreadable", *["amount", "is", "a", "string,", "not", "a", "number"]],
        ["big", "unreadable", *["amount", "is", "a", "string,", "not", "a", "number"]],
        ["eu", "unreadable", *["country", "is", "not", "there"]],
    ]
    answer = hitl("policy", "test", "rules.json", "request.json", "--json").json
    assert answer["digest"] == Rules.from_json(RULES).digest
    assert answer["rule"] is answer["end"] is None
    assert answer["rules"][2] == {
        "id": "eu",
        "state": "unreadable",
        "unread": [{"field": "country", "why": "is not there"}],
    }


def test_should_ask_nothing_of_aws(hitl: Hitl, folder: Path, cloud: FakeCloud) -> None:
    cloud.error = AssertionError("asked")
    ask(folder)
    assert hitl("policy", "test", "rules.json", "request.json").status == 0
    assert cloud.asked == []


@pytest.mark.parametrize(
    ("expected", "status"), [("big", 0), ("small", 1), ("none", 1), ("nowhere", 1)]
)
def test_should_end_with_1_where_another_rule_was_expected(
    hitl: Hitl, folder: Path, expected: str, status: int
) -> None:
    ask(folder, context={"amount": 10_000})
    command = ("policy", "test", "rules.json", "request.json", "--expect", expected)
    assert hitl(*command).status == status


@pytest.mark.parametrize(
    ("rules", "request_", "message"),
    [
        (None, "{}", "rules.json: No such file or directory"),
        ("[", "{}", "rules.json: is not JSON"),
        ("[" * 100_000, "{}", "rules.json: is not JSON"),
        ("{}", "{}", "rules.json: rules must be a list of objects, got an object"),
        ('[{"id": "a"}]', "{}", "rules.json: rule a: says nothing"),
        (
            '[{"id": "a", "when": {"field": "x", "==": NaN}, "quorum": 2}]',
            "{}",
            "rules.json: rules[0].when: field 'x' is compared with a number",
        ),
        (
            '[{"id": "a", "then": "reject", "id": "b"}]',
            "{}",
            "rules.json: has 'id' twice in one object",
        ),
        ("[]", "[]", "request.json: event: must be an object, got a list"),
        ("[]", '{"subject": "a"}', "request.json: requester: is required"),
    ],
)
def test_should_refuse_a_file_that_is_none(
    hitl: Hitl, folder: Path, rules: str | None, request_: str, message: str
) -> None:
    if rules is None:
        (folder / "rules.json").unlink()
    else:
        (folder / "rules.json").write_text(rules)
    (folder / "request.json").write_text(request_)
    result = hitl("policy", "test", "rules.json", "request.json")
    assert result.status == 2
    assert result.err.startswith(f"hitl: {message}")


def test_should_show_the_rules_of_a_deployment(hitl: Hitl, cloud: FakeCloud) -> None:
    rules = Rules.from_json(RULES)
    cloud.decisions = replace(cloud.decisions, rules=rules)
    assert json.loads(hitl("policy", "show").out) == rules.to_json()
    answer = hitl("policy", "show", "--json").json
    assert answer == {"digest": rules.digest, "rules": rules.to_json()}


def test_should_show_that_a_deployment_has_none(hitl: Hitl) -> None:
    assert hitl("policy", "show").out == "[]\n"
