"""Apps as companies have them: two accounts, pipelines' stages, nested stacks, today's flags.

A pipeline itself, and what synth says of subscribers in such apps, is in `test_topic.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import App, Environment, NestedStack, Stack, Stage, assertions
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval
from tests.infra.synth import FLAGS, ROOT, any_app, any_stack, example_stack, of_type

DEV = Environment(account="111111111111", region="eu-central-1")
PROD = Environment(account="222222222222", region="us-east-1")
CLI_FLAGS = ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json"
"""What `cdk init` writes into the cdk.json of a new app."""


def shown() -> dict[str, str]:
    """Every app that the docs show, by its page."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {
        page.stem: block
        for page in pages
        for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        if "app = App()\n" in block
    }


def example(folder: Path) -> Callable[[Stage], Any]:
    """The stack of an example."""
    kind = example_stack(folder)
    return lambda stage: kind(stage, "Example")


def block(code: str) -> Callable[[Stage], Any]:
    """An app of the docs, made in a stage."""
    inside = code.replace("app = App()\n", "app = stage\n")
    return lambda stage: exec(inside, {"stage": stage})


MADE: dict[str, Callable[[Stage], Any]] = {
    **{page: block(code) for page, code in shown().items()},
    **{f.parent.name: example(f.parent) for f in sorted(ROOT.glob("examples/*/app.py"))},
}


def complaints(app: App) -> list[str]:
    """What `synth --strict` would fail on."""
    return [
        f"{construct.node.path}: {entry.data}"
        for construct in app.node.find_all()
        for entry in construct.node.metadata
        if entry.type in {"aws:cdk:warning", "aws:cdk:error"}
    ]


def test_should_find_what_is_shown() -> None:
    assert {"README", "embedding", "inbox", "page"} <= set(MADE)
    assert len(MADE) >= 8


def test_should_synthesize_all_that_is_shown_in_two_accounts() -> None:
    app = any_app()
    for name, make in MADE.items():
        for where, env in (("Dev", DEV), ("Prod", PROD)):
            make(Stage(app, f"{name.replace('_', '-')}-{where}", env=env))
    assembly = app.synth()
    assert len(assembly.nested_assemblies) == 2 * len(MADE)
    assert complaints(app) == []


def test_should_stand_in_a_nested_stack() -> None:
    app = any_app()
    stack = Stack(app, "Payments", env=DEV)
    nested = NestedStack(stack, "Approvals")
    people = [EmailApprover("ann@example.com")]
    approvals = HitlApproval(
        nested, "Approval", page=ApprovalPage(), deliver_to=people, groups={"leads": ["ann"]}
    )
    refund = approvals.function(
        "Refund", handler="refund.handler", code=lambda_.Code.from_inline("pass"), scope=nested
    )
    made = assertions.Template.from_stack(nested).to_json()["Resources"]
    assert len(of_type(made, "AWS::DynamoDB::Table")) == 4
    assert refund.live.node.path.startswith("Payments/Approvals/")
    assert complaints(app) == []


def test_should_be_tried_with_the_flags_of_a_new_app() -> None:
    todays = json.loads(CLI_FLAGS.read_text(encoding="utf-8"))
    assert {name: FLAGS.get(name) for name in todays} == todays


@pytest.mark.parametrize("flags", ["none", "today's"])
def test_should_synthesize_with_and_without_flags(flags: str) -> None:
    context = {} if flags == "none" else json.loads(CLI_FLAGS.read_text(encoding="utf-8"))
    app = App(analytics_reporting=False, context={**context, "aws:cdk:bundling-stacks": []})
    for name, make in MADE.items():
        make(Stage(app, name.replace("_", "-"), env=DEV))
    app.synth()
    assert complaints(app) == []


def test_should_see_what_strict_would_fail_on() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    app = cast(App, stack.node.root)
    app.synth()
    assert "nobody is notified" in "".join(complaints(app))
