"""The scanners' own judgement; what they find is `make audit`'s to say, which needs a network."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.synth import CONFIGURATIONS, any_app
from tests.infra.synth import template as synthesized
from tests.supply import template, workflows
from tests.supply.packages import LOCKS, is_free, known, licence, locked
from tests.supply.scan import ROOT, NotRunError, Scan

DEPENDENCY = {"name": "jinja2", "version": "3.1.6"}


def test_should_keep_what_is_accepted_apart_with_its_reason() -> None:
    scan = Scan.of("any", "two", ["a: x", "b: y"], {"b": "because"})
    assert scan.findings == ["a: x"]
    assert scan.accepted == {"b: y": "because"}


def test_should_find_an_acceptance_that_nobody_needs_any_more() -> None:
    scan = Scan.of("any", "none", [], {"b": "because"})
    assert scan.findings == ["accepted, but not found: b"]


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache Software License, BSD License", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("GNU Affero General Public License v3", False),
        ("unknown", False),
    ],
)
def test_should_let_nobody_ship_what_asks_for_more(said: str, free: bool) -> None:
    assert is_free(said) is free


def test_should_read_every_lock() -> None:
    for lock in LOCKS:
        assert dict(locked(lock))
    assert licence("jinja2").startswith("BSD")


def test_should_say_that_nothing_was_asked_rather_than_that_all_is_well() -> None:
    with pytest.raises(NotRunError, match="no database of vulnerabilities answers here"):
        known("lambdas.lock", [DEPENDENCY | {"skip_reason": "Dependency not found"}])


def test_should_name_a_known_vulnerability() -> None:
    gap = DEPENDENCY | {"vulns": [{"id": "PYSEC-1"}]}
    assert known("lambdas.lock", [gap]) == (1, ["lambdas.lock: jinja2 3.1.6 PYSEC-1"])


def test_should_let_checkov_see_every_kind_of_resource_that_we_make() -> None:
    def kinds(made: Mapping[str, Any]) -> set[str]:
        return {resource["Type"] for resource in made["Resources"].values()}

    ours = {
        kind for make in CONFIGURATIONS.values() for kind in kinds(synthesized(make(any_app())))
    }
    assert ours - kinds(template.deployment()) == {"AWS::IAM::User"}, "which a test makes"


def test_should_have_workflows_that_no_stranger_can_turn() -> None:
    assert workflows.zizmor().findings == []


def test_should_run_what_ci_runs_on_each_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    workflow = yaml.safe_load((workflows.FOLDER / "ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    lowest = project["requires-python"].removeprefix(">=")
    assert job["strategy"]["matrix"]["python"][0] == lowest
    assert job["steps"][-1] == {"run": "bash .ci/run"}
    assert Path(ROOT, ".ci", "run").is_file()
