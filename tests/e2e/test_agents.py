"""Agents of every framework in the local cloud: they ask, people answer, processes die, they go on.

One stack has all of them. Those of a framework are started, then people decide, then what became of
each is collected: once, for all tests.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from uv import find_uv_bin

from hitl_approval.contract import Output
from hitl_approval.domain.request_key import RequestKey
from hitl_approval_cli.local import LocalCloud
from tests.agents.scenes import BEFORE, WITHIN, Notes

from .conftest import ROOT, eventually
from .embedding import EmbeddingApp
from .wheel import constraints, run

APP = Path(__file__).parent / "apps" / "deployed_agents.py"
SCENES_OF = ROOT / "tests" / "agents"
ANN = "ann@example.com"
FRAMEWORKS = ("langgraph", "openai_agents", "pydantic_ai", "strands")
PATIENCE = 240.0

Decision = Mapping[str, Any]
APPROVED: Decision = {"decision": "approved"}


def rejected(why: str) -> Decision:
    return {"decision": "rejected", "comments": why}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What an agent's model calls, what people decide about it, and what must have come of it.

    Attributes:
        calls: the amounts that it wants to refund, by the calls' ids.
        decisions: by the calls' ids; none: nobody answers.
        says: parts of the output; of a scene that fails, of the error.
        model: how often the model was called.
        paid: what the tool was called with.
        dies: when the process dies.
    """

    says: tuple[str, ...]
    model: int
    paid: tuple[int, ...]
    calls: Mapping[str, int] = field(default_factory=lambda: {"c1": 70})
    decisions: Mapping[str, Decision] = field(default_factory=lambda: {"c1": APPROVED})
    editable: tuple[str, ...] = ()
    seconds: int = 3600
    dies: str = ""
    status: str = "SUCCEEDED"

    def event(self, notes: Path) -> dict[str, Any]:
        """What the agent is started with."""
        return {
            "calls": dict(self.calls),
            "editable": self.editable,
            "seconds": self.seconds,
            "dies": self.dies,
            "notes": str(notes),
        }


SCENES = {
    "approved": Scene(says=("done: refunded 70 to C-1",), model=2, paid=(70,)),
    "rejected": Scene(
        decisions={"c1": rejected("charged once only")},
        says=("done: not done, rejected: charged once only",),
        model=2,
        paid=(),
    ),
    "silence": Scene(
        decisions={},
        seconds=2,
        says=("done: not done, timeout: nobody has answered in time",),
        model=2,
        paid=(),
    ),
    "edited": Scene(
        editable=("amount",),
        decisions={"c1": {**APPROVED, "changes": {"arguments.amount": 35}}},
        says=("done: refunded 35 to C-1",),
        model=2,
        paid=(35,),
    ),
    "two-at-once": Scene(
        calls={"c1": 70, "c2": 80},
        decisions={"c1": rejected("too much"), "c2": APPROVED},
        says=("refunded 80 to C-1", "not done, rejected: too much"),
        model=2,
        paid=(80,),
    ),
    "dies-before-the-tool": Scene(
        dies=BEFORE, says=("done: refunded 70 to C-1",), model=2, paid=(70,)
    ),
    "dies-within-the-tool": Scene(
        dies=WITHIN, says=("interrupted",), model=1, paid=(70,), status="FAILED"
    ),
}


@dataclass(frozen=True)
class Example:
    """What one of `examples/agents` is started with, and does."""

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
OF_EXAMPLES: Mapping[str, Decision] = {"approved": APPROVED, "rejected": rejected("not today")}

Played = tuple[str, str]
"""A framework, and a scene or what is decided about its example."""


@dataclass
class Execution:
    """One that was started.

    Attributes:
        arn: its name.
        decisions: what people will say, by the calls' ids; an example's under none.
        notes: what it has done.
        dies: whether its process dies.
        ids, subjects: of what it asks, as `decisions` has it.
        done_unasked: what it had done when all had asked and nobody had decided.
        described: how it stands, as Lambda says.
    """

    arn: str
    decisions: Mapping[str, Decision]
    notes: Notes
    dies: bool
    ids: dict[str, str] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    done_unasked: list[str] = field(default_factory=list)
    described: Mapping[str, Any] = field(default_factory=dict)

    def id_of(self, call_id: str, found: Iterable[str]) -> str:
        """The id of the approval of a call: of an example, the one that was found."""
        if not call_id:
            return next(iter(found), "")
        return RequestKey(self.arn, f"agent/turn-1/{call_id}").approval_id


@pytest.fixture(scope="module")
def app(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingApp]:
    folder = tmp_path_factory.mktemp("agents")
    for framework in FRAMEWORKS:
        bring(framework, folder / "builds" / framework)
    made = EmbeddingApp.of(cloud, APP, "agents", folder)
    made.deploy(BUILDS=str(folder / "builds"))
    yield made
    made.destroy()


def bring(framework: str, build: Path) -> None:
    """The functions' code: the example's as its README makes it, and beside it the scenes."""
    code = ROOT / "examples" / "agents" / framework / "lambda"
    shutil.copytree(code, build)
    command = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(build)]
    command += ["--python", sys.executable, "--requirement", str(code / "requirements.txt")]
    run([*command, "--constraint", str(constraints(build.parent.parent / framework))], cwd=code)
    scripted = build / "scripted"
    scripted.mkdir()
    for name in ("__init__", "scenes", "script", f"kit_{framework}"):
        shutil.copy(SCENES_OF / f"{name}.py", scripted)


@dataclass
class Stage:
    """All scenes and all examples, played at once.

    Attributes:
        app: the stack.
        executions: by their framework, and the scene or what is decided about the example.
    """

    app: EmbeddingApp
    executions: dict[Played, Execution] = field(default_factory=dict)

    def play(self, framework: str) -> None:
        """Start everything, let people decide once all have asked, and see how each has ended.

        One after the other: two at once were two processes of the function, which begin cold. Those
        whose process dies come last.
        """
        for name, scene in SCENES.items():
            notes = self.app.folder / f"{framework}-{name}"
            self.start(framework, name, scene.event(notes), scene.decisions)
        for name, decision in OF_EXAMPLES.items():
            event = {"task": EXAMPLES[framework].task}
            self.start(framework, f"example-{name}", event, {"": decision})
        played = [each for (of, _), each in self.executions.items() if of == framework]
        for execution in played:
            execution.done_unasked = execution.notes.read()
        for execution in sorted(played, key=lambda each: each.dies):
            for call_id, decision in execution.decisions.items():
                self.decide(execution.ids[call_id], decision)
            self.wait_for(self.ended, execution)

    def start(
        self,
        framework: str,
        name: str,
        event: dict[str, Any],
        decisions: Mapping[str, Decision],
    ) -> None:
        """Start one, and wait until it has asked."""
        arn = self.app.start(f"{framework}:live", event)
        notes = Notes(self.app.folder / f"{framework}-{name}")
        execution = Execution(arn, decisions, notes, dies=bool(event.get("dies")))
        self.executions[framework, name] = execution
        self.wait_for(self.asked, execution)

    def wait_for(self, happened: Callable[[Execution], bool], execution: Execution) -> None:
        """Wait until this can be said of one."""
        what = f"{happened.__name__} {execution.notes.file.name}"
        eventually(lambda: happened(execution), what, PATIENCE, pause=0.2)

    def asked(self, execution: Execution) -> bool:
        """Whether all that it asks is on record. Read from the table: a function takes a second."""
        deployment = self.app.deployment()
        rows = deployment.client("dynamodb").scan(
            TableName=deployment.output(Output.APPROVALS_TABLE_NAME),
            FilterExpression="execution_arn = :arn",
            ExpressionAttributeValues={":arn": {"S": execution.arn}},
        )["Items"]
        found = {row["approval_id"]["S"]: row["subject"]["S"] for row in rows}
        execution.ids = {
            call_id: execution.id_of(call_id, found) for call_id in execution.decisions
        }
        execution.subjects = [found[each] for each in execution.ids.values() if each in found]
        return len(execution.subjects) == len(execution.decisions)

    def decide(self, approval_id: str, decision: Decision) -> None:
        """Ann decides; who changes something says which request they were shown."""
        deployment = self.app.deployment()
        event = {"approval_id": approval_id, "approver": ANN, "comments": "", **decision}
        if "changes" in decision:
            shown = deployment.call({"action": "get", "approval_id": approval_id})
            event["content_digest"] = shown["content_digest"]
        deployment.call({"action": "decide", **event})

    def ended(self, execution: Execution) -> bool:
        """Whether it does not run any more."""
        execution.described = self.app.deployment().outcome(execution.arn)
        return bool(execution.described["Status"] != "RUNNING")


@pytest.fixture(scope="module")
def stage(app: EmbeddingApp) -> Stage:
    made = Stage(app)
    with patch.dict(os.environ, app.cloud.environment()):  # a test's own are not there yet
        for framework in FRAMEWORKS:
            made.play(framework)
    return made


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_should_do_what_people_decided_and_call_nothing_twice(
    stage: Stage, framework: str, name: str
) -> None:
    scene, execution = SCENES[name], stage.executions[framework, name]
    assert execution.described["Status"] == scene.status, execution.described
    said = execution.described["Result" if scene.status == "SUCCEEDED" else "Error"]
    for words in scene.says:
        assert words in str(said)
    if scene.decisions:
        assert execution.done_unasked == ["model"]
    done = execution.notes.read()
    assert done.count("model") == scene.model
    assert [line for line in done if line.startswith("paid")] == [f"paid {n}" for n in scene.paid]
    assert done.count("died") == (scene.dies == BEFORE)


@pytest.mark.parametrize("name", OF_EXAMPLES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_should_run_the_example(stage: Stage, framework: str, name: str) -> None:
    example, execution = EXAMPLES[framework], stage.executions[framework, f"example-{name}"]
    [subject] = execution.subjects
    assert subject.startswith(f"Run {example.tool}(")
    assert execution.described["Status"] == "SUCCEEDED", execution.described
    expected = example.done if name == "approved" else "not done, rejected: not today"
    assert json.loads(execution.described["Result"]) == expected
