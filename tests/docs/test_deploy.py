"""`docs/deploy.md` has every context key, output and refusal, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Env
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.http.errors import (
    InternalError,
    MethodNotAllowed,
    NotShown,
    UnknownLink,
    UnsupportedMediaType,
)
from hitl_approval.usecases.decide import Workflow
from hitl_approval_cdk import context

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PAGES = {UnsupportedMediaType, UnknownLink, NotShown}
"""What only the pages and the JSON API answer stands with them."""
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_should_have_every_context_key() -> None:
    keys = [key for cells in rows("Context keys") for key in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(keys) == sorted(["stack_name", *context.KEYS])


def test_should_say_that_only_known_context_keys_exist() -> None:
    shown = re.findall(r"-c (\w+)=", PAGE)
    assert shown
    assert {"key", "stack_name", *context.KEYS} >= set(shown)


def test_should_have_every_output() -> None:
    names = [name for cells in rows("Outputs") for name in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(set(names)) == sorted(OUTPUTS)


def test_should_have_every_refusal_with_its_status() -> None:
    kinds: set[type[ApprovalError]] = {MethodNotAllowed, InternalError}
    kinds.update(ApprovalError.__subclasses__())
    codes = [cells for cells in rows("Start and decide by any AWS client") if len(cells) == 3]
    listed = {(cells[0].strip("`"), int(cells[1])) for cells in codes}
    ours = {kind for kind in kinds if kind not in PAGES}
    assert listed == {(kind.code, kind.status) for kind in ours}


def test_should_have_every_answer_about_the_workflow() -> None:
    answers = [cells for cells in rows("Start and decide by any AWS client") if len(cells) == 2]
    assert [cells[0].strip("`") for cells in answers] == list(get_args(Workflow))


@pytest.mark.parametrize(
    "name", ["set environment variables", "list pending approvals", "get approval details"]
)
def test_should_show_the_public_patterns_commands_as_they_are(name: str) -> None:
    """`tests/e2e/test_public_pattern.py` runs all of them."""
    commands = json.loads((ROOT / "tests" / "e2e" / "public_pattern_commands.json").read_text())
    assert commands[name].replace("STACK_NAME=app-sam", "STACK_NAME=hitl-approval") in PAGE


def test_should_name_the_variables_that_the_public_pattern_has() -> None:
    for name in ("APPROVALS_TABLE_NAME", "SNS_TOPIC_ARN", "APPROVAL_TIMEOUT_SECONDS"):
        assert name in vars(Env).values()
        assert f"`{name}`" in PAGE


def test_should_pin_the_cdk_command_that_the_checkout_has() -> None:
    pinned = re.search(r'"aws-cdk": "([\d.]+)"', (ROOT / "package.json").read_text())
    assert pinned
    for page in ("deploy.md", "troubleshooting.md"):
        shown = set(re.findall(r"aws-cdk@([\d.]+)", (ROOT / "docs" / page).read_text()))
        assert {version.rstrip(".") for version in shown} == {pinned[1]}, page


def test_should_name_the_wheel_that_a_checkout_builds() -> None:
    local = (ROOT / "docs" / "local-cloud.md").read_text(encoding="utf-8")
    assert f"dist/hitl_approval-{LIBRARY_VERSION}-py3-none-any.whl[cli]" in local
