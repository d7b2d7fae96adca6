"""`make bench`: measure, print the table, write `bench/results.json` and `docs/performance.md`.

Exit status 1 when a goal is missed. `--quick` takes few samples and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import (
    asking,
    bundle,
    calls,
    cloud,
    cost,
    messages,
    operations,
    pages,
    report,
    sweeping,
    synth,
)
from bench.figures import Group, Measure

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "performance.md"
CHARTS = ROOT / "docs" / "performance"

GROUPS: Mapping[str, Measure] = {
    "operations": operations.measure,
    "cost": cost.measure,
    "calls": calls.measure,
    "asking": asking.measure,
    "pages": pages.measure,
    "bundle": bundle.measure,
    "synth": synth.measure,
    "sweep": sweeping.measure,
    "cloud": cloud.measure,
    "messages": messages.measure,
}
VERSIONS = ("boto3", "aws-durable-execution-sdk-python", "aws-cdk-lib", "ministack")


def main(words: Sequence[str] | None = None) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few samples, nothing written")
    parser.add_argument(
        "--only", choices=GROUPS, action="append", help="measure this group, keep the others"
    )
    parser.add_argument("--page", action="store_true", help="write the page again, measure nothing")
    asked = parser.parse_args(words)
    logging.disable(logging.CRITICAL)
    sys.path.insert(0, str(ROOT / "lambdas"))

    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"groups": {}}
    if asked.page:
        write_page(kept)
        return 0
    measured = {name: _timed(name, asked.quick) for name in asked.only or GROUPS}
    if not asked.quick:
        results = _results(kept, measured)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        write_page(results)
    groups = list(measured.values())
    print(report.terminal(groups))
    missed = report.missed(groups)
    for figure in missed:
        print(f"MISS {figure.name}: {figure.note or 'see docs/performance.md'}")
    return 1 if missed else 0


def write_page(results: Mapping[str, Any]) -> None:
    """`docs/performance.md` and its charts, from the results alone."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    for old in CHARTS.glob("*.svg"):
        old.unlink()
    PAGE.write_text(report.page(results), encoding="utf-8")
    for group in report.groups_of(results):
        for chart in group.charts:
            (CHARTS / chart.file).write_text(report.svg(chart), encoding="utf-8")


def _timed(name: str, quick: bool) -> Group:
    began = time.monotonic()
    print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
    group = GROUPS[name](quick)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return group


def _results(kept: Mapping[str, Any], measured: Mapping[str, Group]) -> dict[str, Any]:
    groups = {**kept["groups"], **{name: group.to_json() for name, group in measured.items()}}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
        "groups": {name: groups[name] for name in GROUPS if name in groups},
    }


if __name__ == "__main__":
    sys.exit(main())
