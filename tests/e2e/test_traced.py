"""The SDK's OpenTelemetry plugin from a layer, in the packaged workflow and in a function of one's
own: what the deployed functions export.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli.local import LocalCloud

from .conftest import eventually
from .embedding import EmbeddingApp

APP = Path(__file__).parent / "apps" / "traced.py"
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
HANDLER = """
from aws_durable_execution_sdk_python import durable_execution
from hitl_approval import ApprovalRequest, wait_for_approval

@durable_execution
def handler(event, context):
    request = ApprovalRequest(subject=event["subject"], requester="rita@example.com")
    outcome = wait_for_approval(context, request, name="refund")
    return context.step(lambda _: outcome.status, name="pay")
"""


def layer(folder: Path) -> Path:
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
    return folder


@pytest.fixture(scope="module")
def traced(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingApp]:
    made = EmbeddingApp.of(cloud, APP, "traced", tmp_path_factory.mktemp("traced"))
    code = made.folder / "code"
    code.mkdir()
    (code / "asking.py").write_text(HANDLER)
    made.deploy(LAYER_FOLDER=str(layer(made.folder / "layer")), CODE_FOLDER=str(code))
    yield made
    made.destroy()


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


def test_should_export_one_trace_of_each_approval(traced: EmbeddingApp) -> None:
    subjects = {"packaged": "Refund of Jane 1", "own": "Refund of Jane 2"}
    deployment = traced.deployment()
    packaged = deployment.submit({"subject": subjects["packaged"], "requester": "rita@example.com"})
    own = traced.start(traced.output("RefundArn"), {"subject": subjects["own"]})
    arns = {"packaged": packaged["execution_arn"], "own": own}
    for subject in subjects.values():
        traced.decide(traced.pending(subject), "approved", "ann@example.com", comments="by phone")
    results = {who: traced.result(arn) for who, arn in arns.items()}
    spans = {who: exported(traced, arn) for who, arn in arns.items()}

    assert results["own"] == "approved"
    asked = ["create", "notify", "callback-1", "check"]
    assert sorted(operations(spans["packaged"])) == sorted(f"document.{name}" for name in asked)
    assert sorted(operations(spans["own"])) == sorted([*(f"refund.{n}" for n in asked), "pay"])
    for found in spans.values():
        assert len({span["context"]["trace_id"] for span in found}) == 1
        text = json.dumps(found)
        assert not any(secret in text for secret in ("Jane", "example.com", "by phone"))
