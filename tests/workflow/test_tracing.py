"""Approvals under the SDK's OpenTelemetry plugin: one trace, readable, of nobody's data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec, module_from_spec
from typing import Any, Final, cast

import pytest
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.exceptions import PluginLoadError
from aws_durable_execution_sdk_python_otel import (
    ExecutionOtelPluginFactory,
    InvocationOtelPluginFactory,
    OtelPluginConfig,
)
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hitl_approval.domain.approval import Decision
from hitl_approval.durable.document import review_document
from hitl_approval.usecases.request import RequestService
from tests.anything import a_document

from .conftest import Replaced, Stage, StageFactory

MODES: Final = ["callback", "polling"]
VIEWS: Final = {
    "otel-execution": ExecutionOtelPluginFactory,
    "otel-invocation": InvocationOtelPluginFactory,
}
OF_THE_PLUGIN: Final = {"DurableExecutionRoot", "Workflow", "Invocation"}
"""Spans that are no operations."""

XRAY_ROOT: Final = "1-67891233-abcdef012345678912345678"
PRIVATE: Final = {
    "requester": "rita@example.com",
    "subject": "Refund of Jane Doe",
    "context": {"iban": "DE02120300000000202051", "note": "her second divorce"},
    "sensitive": ["iban"],
}
COMMENT: Final = "as Jane said by telephone"


class Traces:
    """A provider whose spans a test reads."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def operations(self) -> Counter[str]:
        """How often each operation was exported; attempts are beside it."""
        return Counter(
            span.name
            for span in self.spans
            if span.name not in OF_THE_PLUGIN and " attempt " not in span.name
        )

    def text(self) -> str:
        return "".join(span.to_json() for span in self.spans)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Traces:
    """What the process has as its provider, as a layer sets it."""
    made = Traces()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made.provider)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    return made


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The plugin that the environment names."""
    monkeypatch.setenv("DURABLE_EXECUTION_PLUGINS", request.param)
    return str(request.param)


def packaged() -> Callable[[Any, Any], Any]:
    """The packaged workflow function, as a process that starts now has it."""
    spec = find_spec("workflow.handler")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = module.handler
    return handler


def decided_later(
    stage: Stage, event: dict[str, Any], mode: str, decision: Decision = "approved"
) -> None:
    """Let the workflow ask, suspend and check by itself; then somebody decides, and it ends."""

    def decide() -> None:
        stage.decide(decision, by="bob@example.com", comments=COMMENT)

    if mode == "polling":
        stage.requests = cast(RequestService, decided_at_the_third_check(stage.requests, decide))
    stage.start(event)
    if mode == "callback":
        stage.suspend()
        stage.time_out_callback()
        stage.next_callback()
        stage.open_callback()
        decide()
    body = stage.finish()
    assert (body["decision"], body["decided_by"]) == (decision, "bob@example.com")
    assert stage.invocations > 2


def decided_at_the_third_check(service: RequestService, decide: Callable[[], None]) -> Replaced:
    checks: list[str] = []

    def check_status(approval_id: str) -> Any:
        checks.append(approval_id)
        if len(checks) == 3:
            decide()
        return service.check_status(approval_id)

    return Replaced(service, check_status=check_status)


@pytest.mark.parametrize("mode", MODES)
def test_should_be_one_trace_of_its_operations(
    traces: Traces, view: str, make_stage: StageFactory, mode: str
) -> None:
    stage = make_stage(packaged(), RESUME_MODE=mode)
    decided_later(stage, a_document(), mode)

    assert len({span.context.trace_id for span in traces.spans}) == 1
    assert {attributes(span)["durable.execution.arn"] for span in traces.spans} == {stage.arn}
    assert traces.operations().keys() == set(stage.names())
    assert all(name.startswith("document.") for name in stage.names())
    for name, count in traces.operations().items():
        spread = name == "document.poll" or "callback" in name  # over several invocations
        assert count == 1 or (view == "otel-invocation" and spread), name
    assert len(traces.named("Workflow")) == 1
    assert len(traces.named("Invocation")) == stage.invocations
    exported = [span for span in traces.spans if span.name != "DurableExecutionRoot"]
    assert len({span.context.span_id for span in exported}) == len(exported)
    assert len({span.context.span_id for span in traces.named("DurableExecutionRoot")}) == 1


@pytest.mark.parametrize("decision", ["approved", "rejected"])
@pytest.mark.parametrize("mode", MODES)
def test_should_have_nobodys_data(
    traces: Traces, view: str, make_stage: StageFactory, mode: str, decision: Decision
) -> None:
    people = json.dumps(["ann@example.com", "bob@example.com"])
    stage = make_stage(packaged(), RESUME_MODE=mode, DEFAULT_APPROVERS=people)
    stage.notifier.failures = 1
    decided_later(stage, PRIVATE, mode, decision)

    said = traces.text()
    assert len(traces.operations()) > 3
    record = stage.approval
    secrets = ["example.com", "Jane", "DE0212", "divorce", COMMENT, record.creation_token]
    secrets += [record.callback_id] if record.callback_id else []
    for secret in secrets:
        assert secret not in said, secret


def test_should_say_of_a_refusal_what_the_execution_says(
    traces: Traces, view: str, make_stage: StageFactory
) -> None:
    """The one thing in a span that can name somebody: the message of an error that failed it."""
    stage = make_stage(packaged(), DEFAULT_APPROVERS=json.dumps(["ann@example.com"]))
    stage.start(a_document(approvers=["eve@example.com"]))
    error = stage.fail()

    assert "eve@example.com" in error.message
    [workflow] = traces.named("Workflow")
    assert workflow.status.description == error.message
    kept = [span for span in traces.spans if "example.com" in json.dumps(attributes(span))]
    assert kept == []


class Broken(SpanProcessor):
    """A part of the plugin, whichever: it fails each time."""

    def __init__(self) -> None:
        self.failures = 0

    def fail(self, *_: Any, **__: Any) -> Any:
        self.failures += 1
        raise ConnectionError("no collector")

    # What a factory, a span processor and an exporter are called by.
    create_plugin = export = on_start = on_end = force_flush = fail

    def exporting(self, processor: Any) -> OtelPluginConfig:
        provider = TracerProvider()
        provider.add_span_processor(processor)
        return OtelPluginConfig(tracer_provider=provider)


BREAKABLE: Final[dict[str, Callable[[Broken], OtelPluginConfig]]] = {
    "exporter": lambda broken: broken.exporting(SimpleSpanProcessor(cast(SpanExporter, broken))),
    "processor": lambda broken: broken.exporting(broken),
    "extractor": lambda broken: OtelPluginConfig(context_extractor=broken.fail),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", [*BREAKABLE, "factory"])
@pytest.mark.parametrize("kind", VIEWS.values())
def test_should_decide_all_the_same_when_the_plugin_fails(
    traces: Traces, make_stage: StageFactory, kind: Any, part: str, mode: str
) -> None:
    broken = Broken()
    plugin = broken if part == "factory" else kind(BREAKABLE[part](broken))
    stage = make_stage(durable_execution(review_document, plugins=[plugin]), RESUME_MODE=mode)
    decided_later(stage, a_document(), mode)

    assert broken.failures >= stage.invocations
    assert stage.events() == ["requested", "approved"]
    assert len(stage.notifier.sent) == 1


def test_should_not_start_under_a_plugin_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DURABLE_EXECUTION_PLUGINS", "otel-executions")
    with pytest.raises(PluginLoadError, match="attached Lambda layer"):
        packaged()


@pytest.mark.parametrize("sampled", [0, 1])
def test_should_follow_the_trace_that_lambda_names(
    traces: Traces,
    view: str,
    make_stage: StageFactory,
    monkeypatch: pytest.MonkeyPatch,
    sampled: int,
) -> None:
    """What it says is not sampled has no spans, and is decided all the same."""
    header = f"Root={XRAY_ROOT};Parent=0123456789abcdef;Sampled={sampled}"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    stage = make_stage(packaged())
    decided_later(stage, a_document(), "callback")

    found = {f"{span.context.trace_id:032x}" for span in traces.spans}
    assert found == ({XRAY_ROOT[2:].replace("-", "")} if sampled else set())
