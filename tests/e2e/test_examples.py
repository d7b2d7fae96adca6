"""Each of `examples/`, as somebody would use it who has only the wheel: tested, deployed, run."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.contract import Output
from hitl_approval.programs import environment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT, eventually
from .embedding import EmbeddingApp
from .typed import type_lines
from .wheel import CleanVenv, run

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/app.py"))
Example = Callable[[str], EmbeddingApp]
Typed = Callable[..., str]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, far from the checkout."""
    folder = tmp_path_factory.mktemp("examples")
    ignored = shutil.ignore_patterns("__pycache__", "cdk.out", ".*")
    return Path(shutil.copytree(ROOT / "examples", folder / "examples", ignore=ignored))


@pytest.fixture
def example(cloud: LocalCloud, with_cdk: CleanVenv, copies: Path) -> Iterator[Example]:
    """Deploys an example by its name, for one test; all share one bundle."""
    made: list[EmbeddingApp] = []

    def deployed(name: str) -> EmbeddingApp:
        stack, assembly = name.replace("_", "-"), copies.parent / "cdk.out"
        app = EmbeddingApp(cloud, copies / name, stack, assembly, with_cdk)
        app.deploy()
        made.append(app)
        return app

    yield deployed
    for app in made:
        app.destroy()


@pytest.fixture(scope="module")
def with_cli(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> CleanVenv:
    return CleanVenv.make(tmp_path_factory.mktemp("with-cli") / "venv", wheel, "[cli]")


@pytest.fixture
def typed(cloud: LocalCloud, copies: Path, with_cli: CleanVenv) -> Typed:
    """Types commands of an example's README that begin alike, for one request; what is shown.

    Dates are made to begin yesterday, as they would for who reads it then.
    """

    def type_(name: str, command: str, approval_id: str = "") -> str:
        text = (copies / name / "README.md").read_text(encoding="utf-8")
        found = re.findall(rf"^(hitl {command}\b.*)$", text, re.MULTILINE)
        assert found, command
        today = datetime.now(UTC).date()
        dates = {"--from": today - timedelta(days=1), "--until": today + timedelta(days=14)}
        lines = "\n".join(found).replace("<id>", approval_id)
        for option, day in dates.items():
            lines = re.sub(rf"(?<={option} )\S+", day.isoformat(), lines)
        environment = {**with_cli.environment, **cloud.environment()}
        return type_lines(lines, folder=copies / name, environment=environment)

    return type_


@pytest.mark.parametrize("name", EXAMPLES)
def test_should_pass_its_own_tests(with_cdk: CleanVenv, copies: Path, name: str) -> None:
    with_cdk.run("-m", "pytest", "-q", cwd=copies / name)


def test_should_publish_or_send_back_a_document(example: Example) -> None:
    app = example("document_approval")

    def start(title: str) -> tuple[str, str]:
        document = {"title": title, "author": "rita", "link": f"https://x.io/drafts/{title}"}
        arn = app.start("document-approval:live", document)
        return arn, app.pending(f"Publish {title}")

    good, approval_id = start("q4")
    app.decide(approval_id, "approved", "ann@example.com")
    bad, approval_id = start("q5")
    app.decide(approval_id, "rejected", "bob@example.com", comments="Page 3 is missing")

    assert app.result(good) == {
        "published": "https://x.io/published/q4",
        "approved_by": "ann@example.com",
    }
    assert app.result(bad) == {
        "published": None,
        "status": "rejected",
        "comments": "Page 3 is missing",
    }


def test_should_pay_what_rules_and_people_made_of_an_expense(
    example: Example, typed: Typed, copies: Path
) -> None:
    script = copies / "expenses" / "app.py"
    text = script.read_text(encoding="utf-8")
    assert "after=timedelta(days=2)" in text
    script.write_text(text.replace("after=timedelta(days=2)", "after=timedelta(seconds=1)"))
    try:
        app = example("expenses")
    finally:
        script.write_text(text)

    def start(claimed: int) -> str:
        expense = {"employee": "rita@example.com", "purpose": "Train", "claimed": claimed}
        return app.start("expenses:live", expense)

    assert app.result(start(50)) == {"paid": 50, "approved_by": ["rule:small"]}
    rejected = start(80)
    app.decide(pending(app, 80), "rejected", "ann@example.com", comments="Take the bus")
    silence = {"paid": 0, "status": "rejected", "comments": "Take the bus"}
    assert app.result(rejected) == silence

    staged = start(1200)
    shown = typed("expenses", "approve", pending(app, 1200))
    assert "You change paid_out to: 1100" in shown
    assert "approved by fay@example.com; the workflow resumes" in shown
    people = ["ann@example.com", "fay@example.com"]
    assert app.result(staged) == {"paid": 1100, "approved_by": people}

    late = start(90)
    approval_id = pending(app, 90)
    functions = app.deployment().client("lambda")

    def escalated() -> Any:
        functions.invoke(FunctionName=app.deployment().output(Output.SWEEP_FUNCTION_NAME))
        trail = app.deployment().call({"action": "history", "approval_id": approval_id})
        return next((e for e in trail["events"] if e["event"] == "escalated"), None)

    assert eventually(escalated, "escalation")["details"]["to"] == ["dan@example.com"]
    app.decide(approval_id, "approved", "dan@example.com")
    assert app.result(late) == {"paid": 90, "approved_by": ["dan@example.com"]}


def pending(app: EmbeddingApp, claimed: int) -> str:
    """The id of an expense that waits."""
    return app.pending(f"Train: {claimed} for rita@example.com")


def test_should_deploy_a_change_that_a_delegate_and_security_approved(
    example: Example, typed: Typed
) -> None:
    app = example("on_call_change")

    def start(version: str) -> tuple[str, str]:
        who, why = "ann@example.com", "Carts were lost"
        event = {"engineer": who, "service": "checkout", "version": version, "why": why}
        return app.start("on-call-change:live", event), app.pending(f"Deploy checkout {version}")

    shown = typed("on_call_change", "delegate --to") + typed("on_call_change", "delegate --as")
    assert shown.count("dan@example.com answers for you from") == 2
    good, approval_id = start("v42")
    shown = typed("on_call_change", "approve", approval_id)
    assert "approved by sam@example.com; the workflow resumes" in shown
    approved_by = ["dan@example.com for bob@example.com", "sam@example.com"]
    assert app.result(good) == {"deployed": "v42", "approved_by": approved_by}

    assert "Nobody answers for you." in typed("on_call_change", "delegate --none")
    bad, approval_id = start("v43")
    with pytest.raises(CliError, match=r"dan@example\.com"):
        app.decide(approval_id, "approved", "dan@example.com")
    app.decide(approval_id, "rejected", "sue@example.com", comments="Not on a Friday")
    assert app.result(bad) == {
        "deployed": None,
        "status": "rejected",
        "comments": "Not on a Friday",
    }


def test_should_show_or_hide_a_reported_post(example: Example) -> None:
    app = example("content_moderation")

    def start(post: str) -> tuple[str, str]:
        report = {"post_id": post, "author": "max", "text": "Buy now!", "reason": "advertising"}
        return app.start("content-moderation:live", report), app.pending(f"Keep post {post}?")

    kept, approval_id = start("p-1")
    app.decide(approval_id, "approved", "ann")
    hidden, approval_id = start("p-2")
    app.decide(approval_id, "rejected", "ann", comments="No advertising")

    assert app.result(kept) == {"post_id": "p-1", "visibility": "shown", "why": ""}
    assert app.result(hidden) == {"post_id": "p-2", "visibility": "hidden", "why": "No advertising"}


def test_should_let_an_agent_use_what_a_person_approved(example: Example) -> None:
    app = example("agent_tool_gate")
    call = 'Run delete_customer(customer="C-15", reason="asked to be forgotten")'

    for decision, answer in (
        ("approved", "deleted C-15, who asked to be forgotten"),
        ("rejected", "not done, rejected: Invoice 9 is open"),
    ):
        arn = app.start("agent-tool-gate:live", {"task": "max@example.com"})
        approval_id = app.pending(call)
        app.decide(approval_id, decision, "ann@example.com", comments="Invoice 9 is open")
        assert app.result(arn) == ["C-15", answer]


def test_should_wait_in_typescript(example: Example, copies: Path) -> None:
    folder = copies / "typescript"
    for words in (["ci"], ["run", "check"], ["run", "build"]):
        npm(words, folder)
    app = example("typescript")

    def start(amount: int, **more: int) -> str:
        event = {"customer": "zoe", "amount": amount, **more}
        return app.start("typescript-refund:live", event)

    good, bad, late = start(70), start(80), start(90, seconds=2)
    app.decide(app.pending("Refund 70 to zoe"), "approved", "ann@example.com")
    app.decide(app.pending("Refund 80 to zoe"), "rejected", "bob@example.com", comments="Ask again")

    paid = app.result(good)
    assert (paid["paid"], paid["status"], paid["decided_by"]) == (70, "approved", "ann@example.com")
    refused = app.result(bad)
    assert (refused["paid"], refused["status"], refused["comments"]) == (0, "rejected", "Ask again")
    silent = app.result(late)
    assert (silent["paid"], silent["status"]) == (0, "timeout")


def npm(words: list[str], folder: Path) -> None:
    """npm, with the Node of these tests, and of the user's settings only where packages are."""
    with tempfile.TemporaryDirectory(prefix="hitl-") as scratch:
        program = [shutil.which("npm") or "npm", *words, "--no-audit", "--no-fund"]
        run(program, cwd=folder, env=environment("npm", Path(scratch)))
