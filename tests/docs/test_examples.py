"""The commands in the READMEs of `examples/` fit the apps beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_cdk import assertions

from tests.infra.synth import any_app, example_stack, said

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/README.md"))
AGENTS = sorted((ROOT / "examples" / "agents").glob("*/README.md"))
"""Whose functions bring a framework, which is installed beside them before they are deployed."""


@pytest.mark.parametrize("page", [*EXAMPLES, *AGENTS], ids=lambda page: page.parent.name)
def test_should_show_a_start_that_the_handler_takes(page: Path) -> None:
    text, folder = page.read_text(encoding="utf-8"), page.parent
    [payload] = re.findall(r"--payload '(\{.*?\})'", text, re.DOTALL)
    if folder.name == "typescript":
        handler = (folder / "refund.ts").read_text(encoding="utf-8")
        taken = set(re.findall(r"event\.(\w+)", handler)) - {"seconds"}  # which is optional
    else:
        handler = (folder / "lambda" / "handler.py").read_text(encoding="utf-8")
        taken = set(re.findall(r'event\["(\w+)"\]', handler))
    assert set(json.loads(payload)) == taken


@pytest.mark.parametrize("page", [*EXAMPLES, *AGENTS], ids=lambda page: page.parent.name)
def test_should_name_what_the_app_deploys(page: Path) -> None:
    text, app = page.read_text(encoding="utf-8"), (page.parent / "app.py").read_text("utf-8")
    [function] = re.findall(r"--function-name (\S+):live", text)
    assert f'function_name="{function}"' in app
    [stack] = set(re.findall(r"--stack (\S+)", text))
    assert f'(app, "{stack}")' in app
    for who in re.findall(r"--as (\S+)", text):
        assert who in app or "approvers" not in app, who


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_should_warn_of_nothing_and_keep_no_version_that_is_rolled_back(page: Path) -> None:
    stack = example_stack(page.parent)(any_app(), "Example")
    assert said(stack) == []
    versions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Version")
    assert {v["DeletionPolicy"] for v in versions.values()} == {"RetainExceptOnCreate"}


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_should_be_read_in_a_minute(page: Path) -> None:
    """An app and a workflow of less than 60 lines each, where both are Python."""
    handlers = sorted(page.parent.glob("lambda/*.py"))
    assert handlers or page.parent.name == "typescript"
    for code in (page.parent / "app.py", *handlers):
        assert len(code.read_text(encoding="utf-8").splitlines()) < 60, code.name


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_should_be_listed_where_examples_are(page: Path) -> None:
    name = f"examples/{page.parent.name}/README.md"
    for listing in ("README.md", "docs/index.md", "docs/embedding.md", "tests/docs/zensical.toml"):
        assert name in (ROOT / listing).read_text(encoding="utf-8"), listing


@pytest.mark.parametrize("page", AGENTS, ids=lambda page: page.parent.name)
def test_should_show_an_agent_in_less_than_50_lines(page: Path) -> None:
    for code in (page.parent / "app.py", *page.parent.glob("lambda/*.py")):
        assert len(code.read_text(encoding="utf-8").splitlines()) < 50, code.name
    name = f"examples/agents/{page.parent.name}/README.md"
    for listing in ("README.md", "docs/index.md", "tests/docs/zensical.toml"):
        assert name in (ROOT / listing).read_text(encoding="utf-8"), listing


@pytest.mark.parametrize(
    "page", ["CHANGELOG.md", "docs/embedding.md", "examples/typescript/README.md"]
)
def test_should_say_how_long_the_file_is_that_waits_in_typescript(page: str) -> None:
    waits = (ROOT / "examples/typescript/wait-for-approval.ts").read_text(encoding="utf-8")
    said = re.findall(r"(\d+) lines", (ROOT / page).read_text(encoding="utf-8"))
    assert said == [str(len(waits.splitlines()))]
