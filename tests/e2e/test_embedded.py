"""Functions of an app's own, attached to two deployments in one stack of the local cloud."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from hitl_approval.contract import Output
from hitl_approval_cli.errors import CliError, TransientError
from hitl_approval_cli.local import LocalCloud
from hitl_approval_cli.local.execution_arn import ExecutionArn
from tests.deployed import Links

from .conftest import Live, eventually
from .embedding import EmbeddingApp
from .test_page import fetch, nonce_of
from .tracing import exported, make_layer, operations

APP = Path(__file__).parent / "apps" / "embedded.py"
HANDLER = """
from datetime import timedelta
from aws_durable_execution_sdk_python import durable_execution
from hitl_approval import ApprovalRequest, wait_for_approval

@durable_execution
def handler(event, context):
    if "kilobytes" in event:  # what only AWS settles: tests/aws
        return len(context.step(lambda _: "x" * 1024 * event["kilobytes"], name="large"))
    outcome = wait_for_approval(context, ApprovalRequest(
        subject=event["subject"], requester="rita",
        timeout=timedelta(seconds=event.get("seconds", 3600))))
    return {"code": CODE, "status": outcome.status, "votes": [v.approver for v in outcome.votes]}
"""


@pytest.fixture(scope="module")
def embedded(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingApp]:
    made = EmbeddingApp.of(cloud, APP, "embedded", tmp_path_factory.mktemp("embedded"))
    make_layer(made.folder / "layer")
    deploy(made, "first")
    yield made
    made.destroy()


def deploy(app: EmbeddingApp, code: str, *options: str, **variables: str) -> str:
    return app.deploy(*options, **folders(app, code), **variables)


def folders(app: EmbeddingApp, code: str) -> dict[str, str]:
    """What the app is made of."""
    return {"CODE_FOLDER": written(app, code), "TRACING_LAYER": str(app.folder / "layer")}


def written(app: EmbeddingApp, code: str) -> str:
    """The folder of the functions' code, in which this is one of their answers."""
    handler = app.folder / "code" / "asking.py"
    handler.parent.mkdir(exist_ok=True)
    handler.write_text(HANDLER.replace("CODE", repr(code)))
    return str(handler.parent)


def start(app: EmbeddingApp, function: str, subject: str, seconds: int = 3600) -> str:
    return app.start(app.output(f"{function}Arn"), {"subject": subject, "seconds": seconds})


def test_should_wait_in_each_function_by_its_own_deployments_rules(embedded: EmbeddingApp) -> None:
    refund = start(embedded, "Refund", "Refund 70")
    release = start(embedded, "Release", "Release 7")
    refund_id = embedded.pending("Refund 70", "Payments")
    release_id = embedded.pending("Release 7", "Releases")

    with pytest.raises(CliError, match="no approval has the id"):
        embedded.deployment("Releases").call({"action": "get", "approval_id": refund_id})
    ann = embedded.decide(refund_id, "approved", "ann", name="Payments")
    assert ann["workflow"] == "waiting"
    bob = embedded.decide(refund_id, "approved", "bob", name="Payments")
    assert bob["workflow"] == "resumed"
    anybody = embedded.decide(release_id, "approved", "anybody", name="Releases")
    assert anybody["workflow"] == "polling"

    assert embedded.result(refund)["votes"] == ["ann", "bob"]
    assert embedded.result(release)["status"] == "approved"


def test_should_take_silence_for_a_rejection_where_that_is_the_rule(embedded: EmbeddingApp) -> None:
    release = start(embedded, "Release", "Release 8", seconds=2)
    assert embedded.result(release)["status"] == "rejected"


def test_should_export_one_trace_of_each_approval(embedded: EmbeddingApp) -> None:
    """By a function of the app's own, and by the packaged workflow."""
    event = {"subject": "Release of Jane 1", "requester": "rita@example.com"}
    arns = {
        "document": embedded.deployment("Releases").submit(event)["execution_arn"],
        "Release": start(embedded, "Release", "Release of Jane 2"),
    }
    for subject in ("Release of Jane 1", "Release of Jane 2"):
        approval_id = embedded.pending(subject, "Releases")
        embedded.decide(approval_id, "approved", "ann@example.com", comments="v1", name="Releases")
    for arn in arns.values():
        embedded.result(arn)
    spans = {who: exported(embedded, arn) for who, arn in arns.items()}

    asked = ["create", "notify", "poll", "token"]
    assert sorted(operations(spans["document"])) == [f"document.{name}" for name in asked]
    assert sorted(operations(spans["Release"])) == asked
    for found in spans.values():
        assert len({span["context"]["trace_id"] for span in found}) == 1
        assert not any(secret in json.dumps(found) for secret in ("Jane", "example.com", "v1"))


def test_should_finish_on_the_version_it_started_on(embedded: EmbeddingApp) -> None:
    deploy(embedded, "old")  # whatever tests before it have deployed
    live = Live(embedded.stack, embedded.deployment("Payments"))
    links = Links(live)
    old = start(embedded, "Refund", "Refund 71")
    old_id = embedded.pending("Refund 71", "Payments")

    deploy(embedded, "new")
    new = start(embedded, "Refund", "Refund 72")
    new_id = embedded.pending("Refund 72", "Payments")
    link = links.link("ann", old_id)
    form = {"nonce": nonce_of(fetch(live, link)[1]), "decision": "approved", "comments": ""}
    assert fetch(live, link, "POST", form)[0] == 200
    embedded.decide(new_id, "approved", "ann", name="Payments")
    for approval_id in (old_id, new_id):
        embedded.decide(approval_id, "approved", "bob", name="Payments")

    assert embedded.result(old) == {"code": "old", "status": "approved", "votes": ["ann", "bob"]}
    assert embedded.result(new)["code"] == "new"


def test_should_finish_all_that_wait_when_a_release_is_rolled_back(embedded: EmbeddingApp) -> None:
    """20 wait when the second release comes, 10 more ask of it, then the first one is deployed
    again. One in five is asked by a function of the app's own, the others by the packaged workflow.
    """
    deployed: list[str] = []
    ids: dict[str, str] = {}

    def release(code: str, log_level: str) -> None:
        """Another version of the app's function, and of the packaged workflow's."""
        deploy(embedded, code, LOG_LEVEL=log_level)
        deployed.append(embedded.deployment("Payments").output(Output.WORKFLOW_VERSION))

    def ask(code: str, count: int) -> dict[str, tuple[str, str, str]]:
        """Subject -> the execution, the code that it is to end on, and its packaged version."""
        asked = {}
        for number in range(count):
            subject = f"Of release {code}, number {number}"
            if number % 5:
                event = {"subject": subject, "requester": "rita", "timeout_seconds": 36_000}
                started = embedded.deployment("Payments").submit(event)
                asked[subject] = started["execution_arn"], "", deployed[-1]
            else:
                asked[subject] = start(embedded, "Refund", subject, 36_000), code, ""
            if number % 5 == 4:  # not all at once: each start takes a process of this machine
                ids.update(eventually(lambda: waiting(asked), "all requests", patience=600))
        return asked

    def waiting(subjects: Iterable[str]) -> dict[str, str]:
        """The ids of these requests by their subjects, once all await a decision."""
        wanted = {"action": "list", "status": "pending", "limit": 100}
        try:
            page = embedded.deployment("Payments").call(wanted)
        except TransientError:  # this machine is busy
            return {}
        found = {each["subject"]: each["approval_id"] for each in page["approvals"]}
        return found if set(subjects) <= set(found) else {}

    def has_ended(arn: str) -> bool:
        return bool(embedded.deployment().outcome(arn)["Status"] != "RUNNING")

    release("one", "INFO")
    asked = ask("one", 20)
    release("two", "WARNING")
    asked |= ask("two", 10)
    release("one", "INFO")
    assert len({deployed[0], deployed[1]}) == 2
    assert len(asked) == 30

    wanted = dict(zip(asked, cycle(["approved", "rejected", "approved"]), strict=False))
    for subject, decision in wanted.items():
        approval_id = ids[subject]
        for person in ("ann", "bob") if decision == "approved" else ("ann",):
            embedded.decide(approval_id, decision, person, comments=subject, name="Payments")
    for subject, (arn, code, version) in asked.items():
        eventually(partial(has_ended, arn), f"end of {subject}", patience=600)
        result = embedded.result(arn)
        if code:
            assert (result["code"], result["status"]) == (code, wanted[subject])
            continue
        body = json.loads(result["body"])
        assert (body["decision"], body["comments"]) == (wanted[subject], subject)
        assert ExecutionArn.parse(arn).version == version

    start(embedded, "Refund", "Refund after")
    approval_id = embedded.pending("Refund after", "Payments")
    embedded.decide(approval_id, "rejected", "bob", name="Payments")


def test_should_have_nothing_to_deploy_once_it_is_deployed(embedded: EmbeddingApp) -> None:
    deploy(embedded, "second")
    said = embedded.cdk("diff", "--fail", **folders(embedded, "second"))
    assert "Number of stacks with differences: 0" in said
    with pytest.raises(AssertionError):
        embedded.cdk("diff", "--fail", **folders(embedded, "another"))


def test_should_take_new_code_by_a_hotswap(embedded: EmbeddingApp) -> None:
    assert "hotswapped" in deploy(embedded, "swapped", "--hotswap")
    started = start(embedded, "Refund", "Refund 73")
    approval_id = embedded.pending("Refund 73", "Payments")
    for person in ("ann", "bob"):
        embedded.decide(approval_id, "approved", person, name="Payments")
    assert embedded.result(started)["code"] == "swapped"
