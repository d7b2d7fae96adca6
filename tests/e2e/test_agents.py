"""The agents of `examples/agents`, in the local cloud: they ask, people answer, they go on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT, eventually
from .embedding import EmbeddingApp
from .wheel import constraints, run

ANN, BOB = "ann@example.com", "bob@example.com"
PAID = "paid"
DIES = "pydantic_ai"
"""The example whose process dies, see `let_the_tool_die`."""


@dataclass(frozen=True)
class Example:
    """What one of them is started with, and does."""

    task: str
    tool: str
    done: str


EXAMPLES = {
    "openai_agents": Example("Forget everybody", "run_sql", "2 rows changed"),
    "pydantic_ai": Example(
        "Order 7 was charged twice",
        "refund",
        f"refunded 70 EUR for order 7, approved by {ANN}",
    ),
    "langgraph": Example("a@b.io has asked to be forgotten", "erase", "erased P-6"),
    "strands": Example("The shop is slow", "deploy", f"shop 1.3.9 is live, approved by {ANN}"),
}


@dataclass(frozen=True)
class Deployed:
    """An example that is deployed."""

    app: EmbeddingApp
    example: Example

    def start(self) -> str:
        """Start the agent; returns the execution's ARN."""
        return self.app.start(f"{self.app.stack}:live", {"task": self.example.task})

    def asked(self, arn: str) -> dict[str, Any]:
        """The one request that awaits a decision, once it does."""

        def found() -> Any:
            execution = self.app.deployment().outcome(arn)
            assert execution["Status"] == "RUNNING", execution
            page = self.app.deployment().call({"action": "list", "status": "pending"})
            return next(iter(page["approvals"]), None)

        request: dict[str, Any] = eventually(found, f"the request of {self.app.stack}")
        return request


@pytest.fixture(scope="module", params=EXAMPLES)
def deployed(
    request: pytest.FixtureRequest, cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("agents") / request.param
    shutil.copytree(ROOT / "examples" / "agents" / request.param, folder)
    bring(folder / "lambda", folder / "build")
    if request.param == DIES:
        let_the_tool_die(folder / "build" / "handler.py")
    app = EmbeddingApp(cloud, folder, stack_of(folder), folder / "cdk.out")
    app.deploy()
    yield Deployed(app, EXAMPLES[request.param])
    app.destroy()


def bring(code: Path, build: Path) -> None:
    """The function's code, as its README makes it: the handler and its framework."""
    shutil.copytree(code, build)
    command = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(build)]
    command += ["--python", sys.executable, "--requirement", str(code / "requirements.txt")]
    run([*command, "--constraint", str(constraints(build))], cwd=code)


def let_the_tool_die(handler: Path) -> None:
    """The process dies within a call that BOB has approved, after its effect."""
    text = handler.read_text(encoding="utf-8")
    begins = "    call = approved_call()"
    assert text.count(begins) == 1
    dies = f"""
    if approved_call().decided_by == {BOB!r}:
        with open({str(handler.parent.parent / PAID)!r}, "a") as paid:
            paid.write("paid ")
        os._exit(1)
"""
    handler.write_text(text.replace(begins, dies + begins), encoding="utf-8")


def stack_of(folder: Path) -> str:
    [name] = [
        line.split('"')[1]
        for line in (folder / "app.py").read_text(encoding="utf-8").splitlines()
        if "(app, " in line
    ]
    return name


def test_should_do_what_a_person_approved(deployed: Deployed) -> None:
    arn = deployed.start()
    request = deployed.asked(arn)
    assert request["subject"].startswith(f"Run {deployed.example.tool}(")
    deployed.app.decide(request["approval_id"], "approved", ANN)
    assert deployed.app.result(arn) == deployed.example.done


def test_should_answer_the_model_why_a_person_rejected(deployed: Deployed) -> None:
    arn = deployed.start()
    request = deployed.asked(arn)
    deployed.app.decide(request["approval_id"], "rejected", ANN, comments="not today")
    assert deployed.app.result(arn) == "not done, rejected: not today"


def test_should_fail_visibly_where_the_process_dies_within_the_tool(deployed: Deployed) -> None:
    if deployed.app.folder.name != DIES:
        return  # one framework's process dies as the other's
    arn = deployed.start()
    request = deployed.asked(arn)
    deployed.app.decide(request["approval_id"], "approved", BOB)

    def ended() -> Any:
        execution = deployed.app.deployment().outcome(arn)
        return None if execution["Status"] == "RUNNING" else execution

    execution = eventually(ended, "end of the function")
    assert execution["Status"] == "FAILED"
    assert "interrupted" in str(execution["Error"])
    assert (deployed.app.folder / PAID).read_text(encoding="utf-8") == "paid "
