"""The README is short, every block of it is run, and what it names exists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, assertions

from hitl_approval.contract import LIBRARY_VERSION, Env
from hitl_approval.testing import Approvals
from hitl_approval_cdk import HitlApprovalStack, context

ROOT = Path(__file__).parents[2]
EXTRAS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED = {"Try it", "Install", "Deploy to AWS", "Use it"}
"""Sections whose commands `tests/e2e/test_readme.py` types, each."""
RUN = {"Send a link", "Wait in your function"}
"""Sections whose Python the tests here run, each."""


def block(section: str, language: str) -> str:
    """The one block of a section."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, section
    [only] = re.findall(rf"^```{language}\n(.*?)^```", found[1], re.DOTALL | re.MULTILINE)
    return str(only)


def test_should_be_read_at_one_sitting() -> None:
    assert README.count("\n") <= 100


def test_should_have_no_block_that_no_test_runs() -> None:
    ran = [block(section, "sh") for section in TYPED] + [block(s, "python") for s in RUN]
    fenced = re.findall(r"^```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert sorted(ran) == sorted(fenced)
    typed = (ROOT / "tests" / "e2e" / "test_readme.py").read_text(encoding="utf-8")
    assert set(re.findall(r'block\("([\w ]+)", "sh"\)', typed)) == TYPED


def test_should_synthesize_the_readmes_ten_lines(tmp_path: Path) -> None:
    lines = block("Send a link", "python")
    assert len(lines.strip().splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=tmp_path,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = "".join(file.read_text(encoding="utf-8") for file in tmp_path.glob("*.json"))
    assert "aws:cdk:warning" not in written
    made = json.loads((tmp_path / "Payments.template.json").read_text())["Resources"]
    people = {"ann@example.com", "bob@example.com", "cid@example.com"}
    assert mailed_a_link(made) == people
    assert approvers(made) == people


def test_should_wait_as_the_readmes_function_does() -> None:
    paid: list[Any] = []
    shown: dict[str, Any] = {"pay": paid.append}
    exec(block("Wait in your function", "python"), shown)
    event = {"amount": 70, "agent": "rita"}
    with Approvals() as approvals:
        run = approvals.start(shown["handler"], event)
        assert approvals.pending()[0].subject == "Refund 70 EUR"
        assert paid == []
        approvals.approve(by="ann")
        assert run.result() == "approved"
    with Approvals() as approvals:
        run = approvals.start(shown["handler"], event)
        approvals.reject(by="ann")
        assert run.result() == "rejected"
    assert paid == [event]


def test_should_mail_a_link_to_whom_the_deploy_line_names() -> None:
    [line] = re.findall(r"^npx aws-cdk@\S+ deploy (.*)$", README, re.MULTILINE)
    values = dict(option.split("=", 1) for option in re.findall(r"-c (\S+)", line))
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = HitlApprovalStack(app, "Deployed", **context.options(values))
    made = assertions.Template.from_stack(stack).to_json()["Resources"]
    assert mailed_a_link(made) == approvers(made) == {"you@example.com"}


def mailed_a_link(resources: dict[str, Any]) -> set[str]:
    """Addresses that are sent their own links and nobody else's."""
    found = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::SNS::Subscription"]
    own = [s for s in found if s.get("FilterPolicy") == {"approver": [s["Endpoint"]]}]
    return {subscription["Endpoint"] for subscription in own}


def approvers(resources: dict[str, Any]) -> set[str]:
    """Whom requests ask that name nobody."""
    [names] = {
        variables[Env.DEFAULT_APPROVERS]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Function"
        and Env.DEFAULT_APPROVERS
        in (variables := resource["Properties"]["Environment"]["Variables"])
    }
    return set(json.loads(names))


PAGES = [
    *("README.md", "CONTRIBUTING.md"),
    *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/**/*.md"))),
]


def test_should_show_only_make_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    shown: set[str] = set()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        shown |= set(re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z0-9-]+)", text, re.MULTILINE))
    assert {"demo", "test", "up", "down", "env"} <= shown
    assert shown <= targets


TEXTS = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/docs/cli_preface.md"),
    *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md"))),
    *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("examples/*/*.*")) if p.is_file()),
]


@pytest.mark.parametrize("page", TEXTS)
def test_should_show_only_installs_that_work_today(page: str) -> None:
    """The name is on no index yet: `make wheel` makes what is installed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "pypi.org" not in text
    assert "npmjs" not in text
    for found in re.finditer(r"(hitl[-_]approval[\w.-]*)\[([\w,]+)\]", text):
        name, extras = found.groups()
        assert set(extras.split(",")) <= EXTRAS
        if name != f"hitl_approval-{LIBRARY_VERSION}-py3-none-any.whl":
            assert "published" in text[max(0, found.start() - 80) : found.end() + 80], found[0]
