"""What the README shows is run, and what it names exists."""

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

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Env
from hitl_approval_cdk import HitlApprovalStack, context

ROOT = Path(__file__).parents[2]
EXTRAS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_should_synthesize_the_readmes_ten_lines(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(block.strip().splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=tmp_path,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nobody is notified" not in done.stderr
    made = json.loads((tmp_path / "Payments.template.json").read_text())["Resources"]
    people = {"ann@example.com", "bob@example.com", "cid@example.com"}
    assert mailed_a_link(made) == people
    assert approvers(made) == people


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


def test_should_show_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z]+)", README, re.MULTILINE))
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


def test_should_document_every_output() -> None:
    for name in OUTPUTS:
        assert f"`{name}`" in README


PAGES = [
    *(
        "README.md",
        "CONTRIBUTING.md",
        "docs/adr/README.md",
        "docs/page.md",
        "docs/embedding.md",
        "docs/cli.md",
    ),
    *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("examples/*/README.md"))),
]


@pytest.mark.parametrize("page", PAGES)
def test_should_link_to_files_that_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http"):
            assert ((ROOT / page).parent / link).exists(), link


def test_should_document_every_context_key() -> None:
    from hitl_approval_cdk.context import KEYS

    for key in ("stack_name", *KEYS):
        assert f"`{key}`" in README, key
