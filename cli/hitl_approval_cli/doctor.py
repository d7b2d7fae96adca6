"""`hitl doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Literal

import typer

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import Metrics, Output
from hitl_approval_cli import screen
from hitl_approval_cli.connected import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, Exit

State = Literal["ok", "wrong", "unknown"]

GRACE = timedelta(minutes=15)
"""How long after its time a thing counts as stuck. Ours: three sweeps."""
MOST = 100
"""Stuck approvals that are counted; more are said to be at least so many."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Check:
    """What was looked at.

    Attributes:
        name: stable, for programs.
        state: `unknown` where it could not be looked at.
        found: in words.
        fix: what to do; empty where nothing is.
    """

    name: str
    state: State
    found: str
    fix: str = ""


@connected
def doctor(to: Connection) -> None:
    """Look whether everything works: credentials, stack, topic, and what is stuck.

    Looks with your own credentials; what they do not allow is unknown and not wrong. The exit
    status is 1 if something is wrong. With --json the answer is {"healthy": ..., "checks": [...]}.

    Example: hitl doctor
    """
    checks: list[Check] = []
    for check in examine(to.deployment):
        checks.append(check)
        if not to.as_json:
            screen.check(check.state, check.name, check.found, check.fix)
    healthy = all(check.state != "wrong" for check in checks)
    answer = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
    to.show(answer, lambda: None)
    if not healthy:
        raise typer.Exit(Exit.FAILED)


def examine(deployment: Deployment) -> Iterator[Check]:
    """Every check in turn; nothing that needs a stack where there is none."""
    yield Check("version", "ok", f"hitl {version('hitl-approval')}")
    credentials = _check("credentials", lambda: _credentials(deployment))
    yield credentials
    if credentials.state == "wrong":
        return
    stack = _check("stack", lambda: _stack(deployment))
    yield stack
    if stack.state != "ok":
        return
    for name, look in (
        ("approval function", _approval_function),
        ("topic", _topic),
        ("overdue", _overdue),
        ("not resumed", _not_resumed),
        ("notifications", _notifications),
    ):
        yield _check(name, lambda look=look: look(deployment))  # type: ignore[misc]


def _check(name: str, look: Callable[[], tuple[State, str, str]]) -> Check:
    try:
        state, found, fix = look()
    except CliError as error:
        if "refused" in str(error):
            return Check(name, "unknown", str(error), "ask for the right, or look with another one")
        return Check(name, "wrong", str(error))
    return Check(name, state, found, fix)


def _credentials(deployment: Deployment) -> tuple[State, str, str]:
    with deployment.errors():
        who = deployment.client("sts").get_caller_identity()
    return "ok", f"{who['Arn']} in {deployment.region_name}", ""


def _stack(deployment: Deployment) -> tuple[State, str, str]:
    number = deployment.output(Output.WORKFLOW_VERSION)
    return "ok", f"{deployment.stack}, workflow version {number}", ""


def _approval_function(deployment: Deployment) -> tuple[State, str, str]:
    deployment.ask({"action": "list", "limit": 1})
    return "ok", f"{deployment.output(Output.APPROVAL_API_FUNCTION_NAME)} answers", ""


def _topic(deployment: Deployment) -> tuple[State, str, str]:
    topic = deployment.output(Output.SNS_TOPIC_ARN)
    with deployment.errors():
        answer = deployment.client("sns").get_topic_attributes(TopicArn=topic)
    attributes = answer["Attributes"]
    confirmed = int(attributes.get("SubscriptionsConfirmed", 0))
    waiting = int(attributes.get("SubscriptionsPending", 0))
    found = f"{confirmed} confirmed, {waiting} to be confirmed"
    if confirmed:
        return "ok", found, ""
    if waiting:
        return "wrong", found, "open the mail from AWS and confirm the subscription"
    return "wrong", "nobody is subscribed", "deploy with notify_emails, or subscribe to the topic"


def _overdue(deployment: Deployment) -> tuple[State, str, str]:
    count = _stuck(deployment, "pending")
    if not count:
        return "ok", "no request is pending past its expiry", ""
    sweep = deployment.output(Output.SWEEP_FUNCTION_NAME)
    return "wrong", f"{_most(count)} pending past their expiry", f"look into the log of {sweep}"


def _not_resumed(deployment: Deployment) -> tuple[State, str, str]:
    count = _stuck(deployment, "decided")
    if not count:
        return "ok", "every workflow has heard of its decision", ""
    found = f"{_most(count)} decided, and their workflow has not heard"
    return "wrong", found, "hitl list --status approved, then hitl resume ID"


def _stuck(deployment: Deployment, attention: Literal["pending", "decided"]) -> int:
    store = DynamoDbStore(
        client=deployment.client("dynamodb"),
        approvals_table=deployment.output(Output.APPROVALS_TABLE_NAME),
        audit_table=deployment.output(Output.AUDIT_TABLE_NAME),
    )
    with deployment.errors():
        return len(store.overdue(attention, before=screen.now() - GRACE, limit=MOST))


def _most(count: int) -> str:
    return f"at least {MOST}" if count == MOST else str(count)


def _notifications(deployment: Deployment) -> tuple[State, str, str]:
    now = screen.now()
    dimension = {
        "Name": Metrics.DEPLOYMENT,
        "Value": deployment.output(Output.APPROVALS_TABLE_NAME),
    }
    with deployment.errors():
        answer: Any = deployment.client("cloudwatch").get_metric_statistics(
            Namespace=Metrics.NAMESPACE,
            MetricName=Metrics.NOTIFICATION_FAILED,
            Dimensions=[dimension],
            StartTime=now - DAY,
            EndTime=now,
            Period=int(DAY.total_seconds()),
            Statistics=["Sum"],
        )
    failed = int(sum(point["Sum"] for point in answer["Datapoints"]))
    if not failed:
        return "ok", "all were sent in the last day", ""
    return (
        "wrong",
        f"{failed} requests were not told to anybody at first",
        "check the topic's policy and key",
    )
