"""`docs/events.md` is the contract of the events: every field and every type, and no other."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_durable_execution_sdk_python import durable_execution
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hitl_approval import contract
from hitl_approval.contract import Events
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.bus_event import BusEvent, bus_event
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.testing import Approvals, in_memory
from hitl_approval_cdk import HitlApproval
from tests.anything import TRACEPARENT, any_opening, any_request, declared
from tests.infra.synth import any_stack, functions, template

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
SHAPE, _, METRICS = PAGE.partition("## Metrics")
TYPES = {"string": str, "number": int, "array": list, "null": type(None), "object": dict}
NOT_IN_ALL = {"on_behalf_of", "rule", "traceparent"}


OF_A_COMMENT = {"question": bool, "answers": int}
"""What only the events of comments have besides."""


def events() -> Iterator[BusEvent]:
    """Every kind of event, of an approval on record and of one that has expired."""
    world = in_memory()

    def ask(**fields: Any) -> str:
        return world.store.create(any_opening(now=world.clock.now(), **fields)).approval_id

    voted = ask(policy=Policy(quorum=Quorum.at_least(2)))
    world.decisions.decide(voted, declared("ann"), "approved", "fine")
    world.decisions.decide(voted, declared("bob"), "approved")
    world.decisions.decide(ask(), declared("ann"), "rejected", "no")
    ask(rule=AppliedRule("d", "big"))
    ask(request=any_request(traceparent=TRACEPARENT))
    world.decisions.cancel(ask(), declared("rita"), "not needed")
    world.decisions.remind(ask(request=any_request(approvers=["ann"])), declared("rita"))
    both = ask(
        request=any_request(approvers=["ann", "bob"]),
        policy=Policy(
            quorum=Quorum.everyone(),
            stages=(Stage(["eve"], timeout=timedelta(hours=1)),),
            escalation=(Escalate(timedelta(minutes=5), ["fay"]),),
        ),
    )
    world.decisions.decide(both, declared("ann"), "approved")
    world.decisions.retract(both, declared("ann"))
    world.decisions.reassign(both, declared("ann"), giver="ann", to="cid")
    world.clock.advance(timedelta(minutes=6))
    world.sweeps.sweep()
    world.decisions.decide(both, declared("bob"), "approved")
    world.decisions.decide(both, declared("cid"), "approved")
    until = world.clock.now() + timedelta(days=1)
    world.decisions.delegating.delegate(
        declared("ann"), giver="ann", to="dan", starts_at=None, until=until
    )
    asked = ask(request=any_request(approvers=["ann"]))
    world.decisions.decide(asked, declared("dan"), "approved")
    commented = ask(request=any_request(approvers=["ann"]))
    world.decisions.comment(commented, declared("ann"), "Which month?", question=True)
    world.decisions.comment(commented, declared("rita"), "May", answers=2)
    world.decisions.comment(commented, declared("ann"), "Mind the month's end")
    world.requests.note_notification_failed(unnotified := ask(), "SNS: throttled")
    world.clock.advance(world.store.approvals[unnotified].expires_at - world.clock.now())
    world.requests.check_status(unnotified)
    for approval_id, approval in world.store.approvals.items():
        for event in world.store.history(approval_id):
            for record in (approval, None):
                yield bus_event(event, record, deployment="payments-ApprovalRequests")


def test_should_describe_every_field_with_its_type() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+?) \| ", SHAPE, re.MULTILINE)
    described = {name: tuple(TYPES[kind] for kind in kinds.split(" or ")) for name, kinds in rows}
    assert described
    seen: set[str] = set()
    for event in events():
        detail = json.loads(event.detail)
        more = OF_A_COMMENT if event.detail_type == Events.COMMENTED else {}
        said = [name for name in detail if name not in more]
        seen |= set(said)
        assert said == [n for n in described if n in detail or n not in NOT_IN_ALL]
        for name, kind in more.items():
            assert isinstance(detail[name], kind | None), (name, detail[name])
            assert f"`{name}`" in SHAPE
        for name in said:
            assert type(detail[name]) in described[name], (name, detail[name])
    assert seen == described.keys()


def test_should_name_every_detail_type_with_its_statuses() -> None:
    rows = re.findall(r"^\| `(Approval [\w ]+)` \| .* \| (`.*`) \|$", PAGE, re.MULTILINE)
    described = {name: set(re.findall(r"`(\w+)`", statuses)) for name, statuses in rows}
    seen: dict[str, set[str]] = {}
    for event in events():
        detail = json.loads(event.detail)
        seen.setdefault(event.detail_type, set()).add(detail["status"])
    assert seen == described
    assert f"`source` is `{Events.SOURCE}`" in PAGE
    assert f"version {Events.VERSION}." in PAGE


def test_should_name_every_metric_once() -> None:
    listed = [
        name
        for names in re.findall(r"^\| (`[A-Z].*?`) \| ", METRICS, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    ]
    assert sorted(listed) == sorted(contract.METRICS)


@pytest.fixture
def shown(tmp_path: Path) -> dict[str, Any]:
    """What the page's Python defines, run from its beginning to its end."""
    stack = any_stack()
    defined: dict[str, Any] = {
        "stack": stack,
        "approvals": HitlApproval(stack, "Approvals", tracing=lambda_.Tracing.ACTIVE),
        "targets": targets,
        "ledger": sqs.Queue(stack, "Ledger"),
        "adot_layer_arn": "arn:aws:lambda:us-east-1:123456789012:layer:adot:7",
    }
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block.replace('"otel-plugin"', repr(str(tmp_path))), defined)
    return defined


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a layer's provider exports."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    return exporter


def test_should_put_on_record_the_trace_of_the_function_it_shows(
    spans: InMemorySpanExporter, shown: dict[str, Any]
) -> None:
    with Approvals() as approvals:
        run = approvals.start(shown["refund"], {"agent": "rita"})
        approval = approvals.approve(by="ann")
        assert run.result() == "approved"
    exported = spans.get_finished_spans()
    [workflow] = [span for span in exported if span.name == "Workflow"]
    assert approval.traceparent == (
        f"00-{workflow.context.trace_id:032x}-{workflow.context.span_id:016x}-01"
    )
    names = [span.name for span in exported]
    for operation in ("create", "notify", "callback-1", "check"):
        assert names.count(f"refund.{operation}") == 1
        assert f"`refund.{operation}`" in PAGE


def test_should_put_an_execution_into_the_trace_of_its_caller(
    spans: InMemorySpanExporter, shown: dict[str, Any]
) -> None:
    function = inspect.unwrap(shown["refund"])
    handler = durable_execution(function, plugins=[shown["in_the_callers_trace"]])
    _, trace_id, span_id, _ = TRACEPARENT.split("-")
    for event in ({"agent": "rita", "traceparent": TRACEPARENT}, {"agent": "rita"}):
        spans.clear()
        with Approvals() as approvals:
            run = approvals.start(handler, event)
            approval = approvals.approve(by="ann")
            assert run.result() == "approved"
        exported = spans.get_finished_spans()
        found = {f"{span.context.trace_id:032x}" for span in exported}
        assert found == {str(approval.traceparent).split("-")[1]}
        if "traceparent" in event:
            assert found == {trace_id}
            [workflow] = [span for span in exported if span.name == "Workflow"]
            assert workflow.parent is not None
            assert f"{workflow.parent.span_id:016x}" == span_id


def test_should_give_the_workflow_function_the_plugin_as_it_shows(shown: dict[str, Any]) -> None:
    resources = template(shown["stack"])["Resources"]
    workflow = functions(resources)[contract.Handler.WORKFLOW]
    assert len(workflow["Layers"]) == 2
    variables = workflow["Environment"]["Variables"]
    assert variables["DURABLE_EXECUTION_PLUGINS"] == "otel-execution"
    assert workflow["TracingConfig"] == {"Mode": "Active"}


def test_should_say_that_an_event_proves_nothing() -> None:
    """Whoever may put events on a shared bus can forge one: readers must be asked to read."""
    _, _, section = PAGE.partition("## What an event proves")
    section = section.partition("\n## ")[0]
    for said in ("`events:PutEvents`", "a hint and no proof", "reads it first", "`event_bus`"):
        assert said in " ".join(section.split())
