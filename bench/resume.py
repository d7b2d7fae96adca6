"""From a decision to the workflow's end, on the local cloud: callback beside polling.

    make bench

Both times come from the record: `decided_at` of the decision, and the end that the durable
engine wrote. Operations and invocations are counted from the execution's history.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")
AT_ONCE = 4
"""Workflows that wait at once: fewer than the local cloud's workers, so none waits for another."""


def main() -> None:
    """Deploy both modes, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--decisions", type=int, default=20, help="decisions per mode")
    count = parser.parse_args().decisions
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {
            name: version(name)
            for name in ("ministack", "aws-durable-execution-sdk-python", "boto3")
        },
        "modes": {},
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud.start(log_file=Path(folder) / "cloud.log") as cloud,
    ):
        os.environ.update(cloud.environment())
        cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, cloud.environment()))
        for mode in ("callback", "polling"):
            results["modes"][mode] = _measure(_deploy(cloud, mode, Path(folder)), count)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    _show(results)


def _deploy(cloud: LocalCloud, mode: str, folder: Path) -> Deployment:
    print(f"deploying {mode} ...", file=sys.stderr)
    values = {"stack_name": f"bench-{mode}", "resume": mode, "removal_policy": "destroy"}
    cdk.finish("cdk synth", cdk.start_synth(ROOT, cloud.environment(), values, folder / "cdk.out"))
    cdk.finish("cdk deploy", cdk.start_deploy(ROOT, cloud.environment(), folder / "cdk.out"))
    return Deployment(f"bench-{mode}", cloud.region, None, cloud.endpoint_url)


def _measure(deployment: Deployment, count: int) -> dict[str, Any]:
    _one(deployment)  # warm: the first decision starts the function's processes
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda _: _one(deployment), range(count)))
    seconds = sorted(run["seconds"] for run in runs)
    return {
        "decisions": count,
        "median_seconds": round(statistics.median(seconds), 3),
        "p95_seconds": round(seconds[int(0.95 * (count - 1))], 3),
        "median_operations": statistics.median(run["operations"] for run in runs),
        "median_invocations": statistics.median(run["invocations"] for run in runs),
    }


def _one(deployment: Deployment) -> dict[str, Any]:
    """One approval: decided about a second after it was asked for."""
    started = deployment.submit(
        {"document_id": "bench", "document_name": "Bench", "requester": "bench"}
    )
    arn, approval_id = started["execution_arn"], started["approval_id"]
    _until(lambda: _pending(deployment, approval_id))
    time.sleep(1)
    decision = deployment.ask(
        {"action": "decide", "approval_id": approval_id, "decision": "approved", "approver": "b"}
    )
    execution = _until(lambda: (e := deployment.outcome(arn))["Status"] != "RUNNING" and e)
    decided = datetime.fromisoformat(decision["decided_at"])
    client = deployment.client("lambda")
    events = client.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=1000)["Events"]
    kinds = [event["EventType"] for event in events]
    return {
        "seconds": (execution["EndTimestamp"] - decided).total_seconds(),
        "operations": len({e["Id"] for e in events if "Id" in e}),
        "invocations": kinds.count("InvocationCompleted"),
    }


def _pending(deployment: Deployment, approval_id: str) -> bool:
    page = deployment.ask({"action": "list", "limit": 100})
    return any(item["approval_id"] == approval_id for item in page["approvals"])


def _until(condition: Any, patience: float = 60) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    sys.exit(f"bench: nothing happened within {patience:.0f} s")


def _show(results: Mapping[str, Any]) -> None:
    print(f"{results['machine']}, Python {results['python']}, {results['versions']}")
    print(f"{'mode':<10}{'median':>10}{'p95':>10}{'operations':>12}{'invocations':>13}")
    for mode, row in results["modes"].items():
        print(
            f"{mode:<10}{row['median_seconds']:>9.3f}s{row['p95_seconds']:>9.3f}s"
            f"{row['median_operations']:>12.0f}{row['median_invocations']:>13.0f}"
        )


if __name__ == "__main__":
    main()
