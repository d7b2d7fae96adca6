"""A layer with the SDK's OpenTelemetry plugin, and what functions export that have it."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from .conftest import eventually
from .embedding import EmbeddingApp

IN_THE_LAYER = (
    "aws-durable-execution-sdk-python-otel",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-semantic-conventions",
    "typing-extensions",
)
PROVIDER = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

def to_log():
    lines = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(lines))
    return provider
"""
ENTRY_POINT = "[opentelemetry_tracer_provider]\nto_log = spans_to_log:to_log\n"


def make_layer(folder: Path) -> None:
    """As `pip install --no-deps --target` makes it, with a provider that writes to the log."""
    python = folder / "python"
    for name in IN_THE_LAYER:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = python / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    (python / "spans_to_log.py").write_text(PROVIDER)
    found = python / "spans_to_log-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: spans-to-log\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text(ENTRY_POINT)


def exported(app: EmbeddingApp, execution_arn: str) -> list[dict[str, Any]]:
    """The spans of an execution that has ended, from its function's log."""
    function = execution_arn.split(":")[6]
    logs = app.deployment().client("logs")

    def spans() -> list[dict[str, Any]]:
        said = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        lines = [line for event in said for line in event["message"].splitlines()]
        found = [json.loads(line) for line in lines if line.startswith('{"name": ')]
        mine = [s for s in found if s["attributes"]["durable.execution.arn"] == execution_arn]
        return mine if any(span["name"] == "Workflow" for span in mine) else []

    made: list[dict[str, Any]] = eventually(spans, "exported spans")
    return made


def operations(spans: list[dict[str, Any]]) -> list[str]:
    """Each operation as often as it was exported, in the order in which it ended."""
    beside = ("DurableExecutionRoot", "Workflow", "Invocation")
    names = [span["name"] for span in spans]
    return [name for name in names if name not in beside and " attempt " not in name]
