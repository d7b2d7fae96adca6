"""`hitl doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from hitl_approval.contract import LIBRARY_VERSION, Metrics, Output
from hitl_approval.domain.text import spelling
from hitl_approval_cli import alarms, asked_people, clock, output, parts, stuck
from hitl_approval_cli.checks import Check, Examine, Found, State, check
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import Exit, usage
from hitl_approval_cli.fixes import Fixed, find_fixes
from hitl_approval_cli.mail_sender import problems_of
from hitl_approval_cli.personal_addresses import AddressState, PersonalAddress, read_addresses

COLOURS: Mapping[State, str] = {"ok": "green", "wrong": "bold red", "unknown": "yellow"}

MOST = 100
"""Pending requests whose approvers are examined."""
EXAMINED = 20
"""People whose inbox is read: some seconds for all."""
DAY = timedelta(days=1)
FIXES: Mapping[AddressState, str] = {
    "confirmed": "",
    "waiting for confirmation": "who waits must confirm by the mail from AWS, within two days",
    "gone": "take who is gone out of deliver_to and deploy, then put them in again and deploy: "
    "only a new subscription is mailed a confirmation",
}
"""What to do about an address, by its state."""


@connected
def doctor(
    to: Connection,
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="Fix what can be fixed safely, after asking.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a fix.")] = False,
) -> None:
    """Check whether everything works: credentials, stack, topics, and what is stuck.

    Uses your own credentials; what they do not allow is unknown and not wrong. The exit
    status is 1 if something is wrong. With --json the answer is {"healthy": ..., "checks": [...]}.

    With --fix it takes up again what was parked and what was given up, lets the sweep run, resumes
    workflows and has AWS mail who has not confirmed; it decides nothing and asks nobody anew. What
    was done is in "fixed", and the exit status is of the state before: check again a little later.

    Example: hitl doctor

    Example: hitl doctor --fix --yes
    """
    may_ask = sys.stdin.isatty() and sys.stdout.isatty()
    nobody = usage("not a terminal, so nobody can be asked: pass --yes")
    if fix and not yes and to.as_json:
        raise nobody
    checks: list[Check] = []
    for each in examine(to.deployment):
        checks.append(each)
        if not to.as_json:
            _show(each)
    healthy = all(each.state != "wrong" for each in checks)
    answer: dict[str, Any] = {"healthy": healthy, "checks": [asdict(each) for each in checks]}
    if fix and not yes and not may_ask:
        raise nobody
    if fix:
        answer["fixed"] = [asdict(each) for each in _fix(to, checks, ask=not yes)]
    to.show(answer, lambda: None)
    if not healthy:
        raise typer.Exit(Exit.FAILED)


def _fix(to: Connection, checks: Sequence[Check], *, ask: bool) -> Sequence[Fixed]:
    """Fix what can be fixed, and say what was done."""
    wrong = {
        each.name: stuck.resumable(to.deployment) if each.name == "not resumed" else ()
        for each in checks
        if each.state == "wrong"
    }
    done: list[Fixed] = []
    for fix in find_fixes(to.deployment, wrong):
        if ask and not typer.confirm(fix.question):
            continue
        for fixed in fix.apply():
            done.append(fixed)
            if not to.as_json:
                _say(fixed)
    if not done and not to.as_json:
        output.out.print("nothing was fixed")
    return done


def _say(fixed: Fixed) -> None:
    state, colour = ("fixed", "green") if fixed.done else ("not fixed", "bold red")
    why = f": {output.safe(fixed.why)}" if fixed.why else ""
    output.out.print(f"[{colour}]{state:<9}[/] {output.safe(fixed.what)}{why}", soft_wrap=True)


def _show(found: Check) -> None:
    """One line, and what to do."""
    output.out.print(
        f"[{COLOURS[found.state]}]{found.state:<8}[/] {output.safe(found.name)}:"
        f" {output.safe(found.found)}",
        soft_wrap=True,
    )
    if found.fix:
        output.out.print(f"         {output.safe(found.fix)}", style="dim", soft_wrap=True)


def examine(deployment: Deployment) -> Iterator[Check]:
    """Every check in turn; nothing that needs a stack where there is none."""
    yield Check("version", "ok", f"hitl {LIBRARY_VERSION}")
    credentials = check("credentials", deployment, _credentials)
    yield credentials
    if credentials.state == "wrong":
        return
    stack = check("stack", deployment, _stack)
    yield stack
    if stack.state != "ok":
        return
    for name, examined in CHECKS.items():
        yield check(name, deployment, examined)


def _credentials(deployment: Deployment) -> Found:
    who = deployment.client("sts").get_caller_identity()
    return "ok", f"{who['Arn']} in {deployment.region_name}", ""


def _stack(deployment: Deployment) -> Found:
    number = deployment.output(Output.WORKFLOW_VERSION)
    return "ok", f"{deployment.stack}, workflow version {number}", ""


def _deployed_version(deployment: Deployment) -> Found:
    deployed = deployment.find_output(Output.VERSION)
    if deployed == LIBRARY_VERSION:
        return "ok", f"{deployed}, as hitl", ""
    found = f"{deployed or 'not said'}, hitl is {LIBRARY_VERSION}: not known to work together"
    return "unknown", found, f"deploy with hitl-approval {LIBRARY_VERSION}, or use that one's hitl"


def _approval_function(deployment: Deployment) -> Found:
    deployment.call({"action": "list", "limit": 1})
    return "ok", f"{deployment.output(Output.APPROVAL_API_FUNCTION_NAME)} answers", ""


def _topic(deployment: Deployment) -> Found:
    topic = deployment.output(Output.SNS_TOPIC_ARN)
    answer = deployment.client("sns").get_topic_attributes(TopicArn=topic)
    attributes = answer["Attributes"]
    confirmed = int(attributes.get("SubscriptionsConfirmed", 0))
    waiting = int(attributes.get("SubscriptionsPending", 0))
    found = f"{confirmed} confirmed, {waiting} to be confirmed"
    gone = [one.endpoint for one in read_addresses(deployment, topic) if one.state == "gone"]
    if gone:
        what = f"{found}; gone: {', '.join(gone)}, which the stack subscribes"
        commands = [_subscribe(deployment, topic, each) for each in gone if "@" in each]
        fix = "another deployment would not bring them back: "
        fix += "; ".join(commands or ["take them out, deploy, and put them in again"])
        return "wrong", what, f"{fix}; who reads the address confirms by the mail from AWS"
    if confirmed:
        return "ok", found, ""
    if waiting:
        return "wrong", found, "open the mail from AWS and confirm the subscription"
    fix = f"deploy with notify_emails, or: {_subscribe(deployment, topic, 'ADDRESS')}"
    if deployment.find_output(Output.PERSONAL_TOPIC_ARN):
        found = "nobody is subscribed; named approvers may be notified by links of their own"
        return "unknown", found, f"{fix}; deliver_to notifies named approvers"
    return "wrong", "nobody is subscribed", fix


def _subscribe(deployment: Deployment, topic: str, address: str) -> str:
    return deployment.aws_command(
        "sns", "subscribe", "--topic-arn", topic, "--protocol", "email",
        "--notification-endpoint", address,
    )  # fmt: skip


def _personal_addresses(deployment: Deployment) -> Found:
    topic = deployment.find_output(Output.PERSONAL_TOPIC_ARN)
    addresses = read_addresses(deployment, topic) if topic else []
    if not addresses:
        return "ok", "none: deliver_to names no approver", ""
    found: list[str] = []
    fixes: list[str] = []
    for state, fix in FIXES.items():
        labels = [address.label for address in addresses if address.state == state]
        if labels:
            found.append(f"{len(labels)} {state}: {', '.join(labels)}")
            fixes.append(fix)
    wrong = bool(any(fixes))
    for name in _unreachable(deployment, addresses):
        count = sum(1 for _ in deployment.awaiting(name))
        if count:
            wait = f"{count} {'waits' if count == 1 else 'wait'} for {name}"
            found.append(f"{wait}, who has no personal address")
            fixes.append(asked_people.hand_over(deployment, name))
    worst: State = "wrong" if wrong else "unknown" if any(fixes) else "ok"
    return worst, "; ".join(found), "; ".join(filter(None, fixes))


def _unreachable(deployment: Deployment, addresses: Sequence[PersonalAddress]) -> Sequence[str]:
    """Whose address is gone, and whom the latest pending requests ask without one.

    The others may have left `deliver_to` since they were asked, or read what the topic sends to
    all. Where SES sends mail, or another stack subscribes a queue, this one's template does not say
    who is reached, and nothing is known of them.
    """
    gone = [name for one in addresses if one.state == "gone" for name in one.names]
    reached = {spelling(name) for one in addresses for name in one.names}
    if all(one.names for one in addresses) and not deployment.find_output(Output.MAIL_SENDER):
        latest = deployment.call({"action": "list", "status": "pending", "limit": MOST})
        asked = (name for item in latest["approvals"] for name in item["approvers"])
        gone += [name for name in asked if spelling(name) not in reached]
    return list({spelling(name): name for name in gone}.values())[:EXAMINED]


def _mail(deployment: Deployment) -> Found:
    sender = deployment.find_output(Output.MAIL_SENDER)
    if not sender:
        return "ok", "none by SES: the deployment has no mail sender", ""
    problems = list(problems_of(deployment, sender))
    if not problems:
        return "ok", f"SES sends as {sender}", ""
    return (
        "wrong",
        "; ".join(problem.found for problem in problems),
        "; ".join(problem.fix for problem in problems),
    )


def _tables(deployment: Deployment) -> Found:
    names = [
        deployment.output(key) for key in (Output.APPROVALS_TABLE_NAME, Output.AUDIT_TABLE_NAME)
    ]
    for name in names:
        answer = deployment.client("dynamodb").describe_table(TableName=name)
        status = answer["Table"]["TableStatus"]
        if status not in {"ACTIVE", "UPDATING"}:
            return "wrong", f"{name} is {status}", "deploy the stack again"
    return "ok", " and ".join(names), ""


def _notifications(deployment: Deployment) -> Found:
    failed = _counted(deployment, Metrics.NOTIFICATION_FAILED)
    if not failed:
        return "ok", "CloudWatch counts none of the last day that was not sent", ""
    return (
        "wrong",
        f"of {output.count(failed, 'request')} somebody was not notified at first",
        "check the topic's policy and key: KMSAccessDenied in a log says that it may not be used",
    )


def _records(deployment: Deployment) -> Found:
    altered = sum(
        _counted(deployment, metric) for metric in (Metrics.ALTERED_RECORD, Metrics.ALTERED_TRAIL)
    )
    passed = _counted(deployment, Metrics.PASSED_OVER)
    if not altered and not passed:
        return "ok", "CloudWatch counts none of the last day that was altered or not taken", ""
    found = f"{altered} were altered, {passed} could not be taken"
    return "wrong", found, f"{deployment.command('audit', 'verify', '--all')} names them"


def _counted(deployment: Deployment, metric: str) -> int:
    """What a metric counted in the last day."""
    now = clock.now()
    dimension = {
        "Name": Metrics.DEPLOYMENT,
        "Value": deployment.output(Output.APPROVALS_TABLE_NAME),
    }
    answer: Any = deployment.client("cloudwatch").get_metric_statistics(
        Namespace=Metrics.NAMESPACE,
        MetricName=metric,
        Dimensions=[dimension],
        StartTime=now - DAY,
        EndTime=now,
        Period=int(DAY.total_seconds()),
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer["Datapoints"]))


CHECKS: Final[Mapping[str, Examine]] = {
    "deployed version": _deployed_version,
    "approval function": _approval_function,
    "functions": parts.functions,
    "schedules": parts.schedules,
    "tables": _tables,
    "topic": _topic,
    "personal addresses": _personal_addresses,
    "mail": _mail,
    "page": parts.page,
    "people": asked_people.people,
    "messages": asked_people.messages,
    "overdue": stuck.overdue,
    "not resumed": stuck.not_resumed,
    "parked": stuck.parked,
    "archive": parts.archive,
    "dead letters": parts.dead_letters,
    "notifications": _notifications,
    "records": _records,
    "alarms": alarms.alarms,
}
"""What is examined of a deployment, in the order in which it is shown: what is the cause of another
problem comes before it, so that who goes from the top down fixes it first."""
