"""Each of `examples/`, as somebody would use it who has only the wheel: tested, deployed, run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.programs import environment
from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT
from .embedding import EmbeddingApp
from .wheel import CleanVenv, run

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/app.py"))
Example = Callable[[str], EmbeddingApp]


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


def test_should_pay_expenses_that_enough_people_approved(example: Example) -> None:
    app = example("expenses")

    def start(amount: int) -> str:
        expense = {"employee": "rita", "amount": amount, "purpose": "Train"}
        return app.start("expenses:live", expense)

    def decide(amount: int, decision: str, *people: str) -> None:
        approval_id = app.pending(f"Train: {amount} for rita")
        for who in people:
            app.decide(approval_id, decision, f"{who}@example.com", comments="read it")

    def paid(amount: int, *people: str) -> dict[str, Any]:
        return {"paid": amount, "approved_by": [f"{who}@example.com" for who in people]}

    assert app.result(start(50)) == paid(50)
    one = start(70)
    decide(70, "approved", "cid")
    assert app.result(one) == paid(70, "cid")
    chain = start(2000)
    decide(2000, "approved", "ann", "bob")
    decide(2000, "approved", "fay")
    assert app.result(chain) == paid(2000, "ann", "bob", "fay")
    rejected = start(80)
    decide(80, "rejected", "ann")
    assert app.result(rejected) == {"paid": 0, "status": "rejected", "comments": "read it"}


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
