"""Through the request function beside directly: operations, price and delay of who asks.

Counts are real executions in virtual time. The delay is that of the durable steps on the local
cloud, as the history of the durable engine has them: of attached functions, and of the packaged
workflow, which asks with rights of its own.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.cloud import ROOT, history, outcome, until
from bench.figures import Figure, Group, Table, number
from bench.virtual import Counted, Stage, packaged
from hitl_approval.contract import Env
from hitl_approval.durable import wait as waiting
from hitl_approval.usecases.ask import Defaults, DirectRequests
from hitl_approval_cli import cdk
from hitl_approval_cli.commands import cost
from hitl_approval_cli.local import LocalCloud
from tests.asking import RequestFunction, RequestFunctionOfARunner
from tests.e2e.embedding import EmbeddingApp
from tests.e2e.test_embedded import APP, HANDLER

DAY = timedelta(days=1)
STEPS = ("create", "notify")
WARM = 3
"""Approvals of each way that are not measured: the first ones start the functions' processes."""


class ThroughTheFunction(Stage):
    """A stage whose workflow has no right but to ask."""

    def ask_through(self) -> RequestFunction:
        """From now on it asks through this function."""
        service = self.requests()
        function = RequestFunctionOfARunner(lambda: DirectRequests(service, Defaults()))
        self.opened.enter_context(patch.object(waiting, "requests", function.client))
        return function


def measure(quick: bool) -> Group:
    """Count both ways, then time both."""
    direct, through, messages = _counted(False)[0], *_counted(True)
    price = cost.total(cost.callback_quantities(DAY))
    asked = cost.through_the_function(cost.callback_quantities(DAY), len(messages))
    more = cost.total(asked) - price
    delays = _delays(5 if quick else 50)
    create = {way: statistics.median(steps["create"]) for way, steps in delays.items()}
    return Group(
        title="Through the request function",
        figures=[
            Figure(
                name="durable operations, callback, 24 h, through the request function",
                measured=through.operations,
                baseline=direct.operations,
                against="directly",
                limit=1,
                goal="ratio at most",
            ),
            Figure(
                name="invocations of the request function, callback, 24 h",
                measured=len(messages),
                limit=12,
            ),
            Figure(
                name="its price, an approval of 24 h",
                measured=more,
                unit="$",
                baseline=price,
                against="the whole approval, asked directly",
                limit=0.00002,
            ),
            Figure(
                name="the step `create`, p50",
                measured=round(create["through the function"], 1),
                unit="ms",
                baseline=round(create["directly"], 1),
                against="directly",
                note="one invocation more; on AWS mostly a cold start, since hours lie between",
            ),
        ],
        tables=[
            Table(
                title="Milliseconds of a step on the local cloud, p50 / p95",
                head=("", *STEPS),
                rows=[
                    (way, *(_percentiles(steps[name]) for name in STEPS))
                    for way, steps in delays.items()
                ],
            )
        ],
    )


def _counted(through: bool) -> tuple[Counted, Sequence[Mapping[str, Any]]]:
    with ExitStack() as opened:
        environment = {Env.RESUME_MODE: "callback", Env.APPROVAL_TIMEOUT_SECONDS: "172800"}
        stage = ThroughTheFunction(opened, DAY, environment)
        function = stage.ask_through() if through else None
        counted = stage.run(packaged())
        return counted, function.invoked if function else []


def _delays(times: int) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """Way -> step -> milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cloud.log"
        with (
            LocalCloud.start(log_file=log) as cloud,
            patch.dict(os.environ, cloud.environment()),
        ):
            app = _deployed(cloud, Path(folder))
            ways = {
                "directly": lambda n: app.deployment("Payments").submit(_event(n)),
                "through the function": lambda n: {
                    "execution_arn": app.start(app.output("RefundArn"), {"subject": f"Refund {n}"})
                },
            }
            return {way: _timed(app, start, times) for way, start in ways.items()}


def _deployed(cloud: LocalCloud, folder: Path) -> EmbeddingApp:
    cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, cloud.environment()))
    app = EmbeddingApp.of(cloud, APP, "embedded", folder)
    code = folder / "code"
    code.mkdir()
    (code / "asking.py").write_text(HANDLER.replace("CODE", "1"))
    app.deploy(CODE_FOLDER=str(code))
    return app


def _event(number_: int) -> dict[str, Any]:
    return {"subject": f"Payment {number_}", "requester": "bench", "timeout_seconds": 3600}


def _timed(app: EmbeddingApp, start: Any, times: int) -> Mapping[str, Sequence[float]]:
    deployment = app.deployment("Payments")
    found: defaultdict[str, list[float]] = defaultdict(list)
    for attempt in range(WARM + times):
        arn = start(attempt)["execution_arn"]
        one = until(lambda: _pending(deployment, arn))  # noqa: B023  awaited at once
        for name in ("ann", "bob"):
            app.decide(one, "approved", name, name="Payments")
        outcome(deployment, arn)
        if attempt < WARM:
            continue
        for step, milliseconds in _steps(history(deployment, arn)):
            found[step].append(milliseconds)
    return found


def _pending(deployment: Any, arn: str) -> str | None:
    page = deployment.call({"action": "list", "status": "pending", "limit": 100})
    for one in page["approvals"]:
        shown = deployment.call({"action": "get", "approval_id": one["approval_id"]})
        if shown["execution_arn"] == arn:
            return str(one["approval_id"])
    return None


def _steps(events: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, float]]:
    """Milliseconds from what was checkpointed before a step until it was.

    A step's own start is checkpointed together with its end.
    """
    before: Any = None
    found = []
    for event in events:
        if event["EventType"] not in {"CallbackStarted", "StepSucceeded"}:
            continue
        name = str(event.get("Name", "")).rpartition(".")[2]
        if name in STEPS:
            found.append((name, 1000 * (event["EventTimestamp"] - before).total_seconds()))
        before = event["EventTimestamp"]
    return found


def _percentiles(times: Sequence[float]) -> str:
    p95 = sorted(times)[int(0.95 * (len(times) - 1))]
    return f"{number(round(statistics.median(times), 1))} / {number(round(p95, 1))}"
