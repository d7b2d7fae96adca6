"""How the parts of a deployment stand that AWS runs for it; `hitl doctor` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hitl_approval.contract import Output
from hitl_approval.routes import Route
from hitl_approval_cli import output
from hitl_approval_cli.checks import Found
from hitl_approval_cli.dead_letters import count_letters
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import TransientError
from hitl_approval_cli.functions import archive_queue, configuration_of, find_functions
from hitl_approval_cli.page_api import fetch

SCHEDULED: Final = ("Sweep", "Messenger")
"""Functions that a schedule starts, as their logical ids call them."""
NO_LINK: Final = "This link does not open anything"
"""What the page answers to a link that nobody was sent."""
_PROBE: Final = Route.LINK.replace("{token+}", "hitl-doctor")
_BUSY: Final = frozenset({429, 503})
"""What the API answers of a function that Lambda does not start."""
_SOURCES: Final = {"dynamodb": "stream mapping", "sqs": "queue mapping"}
"""What feeds a function, by the service that it is fed from."""
_USABLE: Final = {"Enabled", "PendingRotation"}
_COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def functions(deployment: Deployment) -> Found:
    """Whether every function may run, and is brought what it reads."""
    found, fixes = [], []
    made = find_functions(deployment)
    for name, function in made.items():
        for problem, fix in _problems(deployment, function):
            found.append(f"{name}: {problem}")
            fixes.append(fix)
    if found:
        return "wrong", "; ".join(found), "; ".join(fixes)
    return "ok", f"{output.count(len(made), 'function')} may run", ""


def _problems(deployment: Deployment, function: str) -> Iterator[tuple[str, str]]:
    """What keeps a function from running, and the command that ends it."""
    client = deployment.client("lambda")
    reserved = client.get_function_concurrency(FunctionName=function)
    if reserved.get("ReservedConcurrentExecutions") == 0:
        fix = deployment.aws_command(
            "lambda", "delete-function-concurrency", "--function-name", function
        )
        yield "is throttled, nothing may start it", fix
    listed = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    for each in listed:
        if each["State"] in {"Disabled", "Disabling"}:
            source = _SOURCES.get(each["EventSourceArn"].split(":")[2], "source")
            yield (
                f"its {source} is switched off",
                deployment.aws_command(
                    "lambda", "update-event-source-mapping", "--uuid", each["UUID"], "--enabled"
                ),
            )


def schedules(deployment: Deployment) -> Found:
    """Whether what runs by a schedule does."""
    found, fixes = [], []
    made = find_functions(deployment)
    events = deployment.client("events")
    for name in SCHEDULED:
        if name not in made:
            continue
        arn = configuration_of(deployment, made[name])["FunctionArn"]
        rules = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
        if not rules:
            found.append(f"{name} has no schedule")
            fixes.append("deploy the stack again")
        for rule in rules:
            described = events.describe_rule(Name=rule)
            if "ScheduleExpression" in described and described["State"] == "DISABLED":
                found.append(f"that of {name} is switched off")
                fixes.append(deployment.aws_command("events", "enable-rule", "--name", rule))
    if found:
        return "wrong", "; ".join(found), "; ".join(fixes)
    return "ok", "all are on", ""


def page(deployment: Deployment) -> Found:
    """Whether the address that personal links lead to is the deployment's page."""
    url = deployment.find_output(Output.PAGE_URL)
    if not url:
        return "ok", "none", ""
    fix = "correct page.url, or the domain that leads to the API, and deploy: links that were sent "
    fix += "before keep their address"
    try:
        status, body = fetch(url, _PROBE)
    except TransientError as error:
        return "wrong", f"{url} does not answer: {error}", fix
    if status in _BUSY:
        fix = "see `functions` above: the page's function may not run, or not so often"
        return "wrong", f"{url} answers {status}: nobody can open a link now", fix
    if NO_LINK not in body:
        return "wrong", f"{url} answers {status}, and not as the deployment's page", fix
    return "ok", f"{url} answers", ""


def dead_letters(deployment: Deployment) -> Found:
    """Whether anything has failed every attempt."""
    count = count_letters(deployment)
    if not count:
        return "ok", "none", ""
    found = f"{output.count(count, 'message')} in the dead-letter queue"
    command = deployment.command("repair", "--dead-letters", "--dry-run")
    return "wrong", found, f"{command} says what they are"


def archive(deployment: Deployment) -> Found:
    """Whether audit events are archived."""
    key = deployment.find_output(Output.ARCHIVE_KEY_ARN)
    if not key:
        return "ok", "the deployment has none", ""
    described = deployment.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    if described["KeyState"] not in _USABLE:
        fix = deployment.aws_command("kms", "enable-key", "--key-id", key)
        return "wrong", f"its key is {described['KeyState']}: nothing can be archived", fix
    queue = archive_queue(deployment)
    answer = deployment.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=list(_COUNTS)
    )
    waiting = sum(int(answer["Attributes"].get(name, 0)) for name in _COUNTS)
    if waiting:
        fix = "each is tried again every 15 minutes: the publisher function's log says why not"
        return "wrong", f"{output.count(waiting, 'batch')} of events not archived yet", fix
    return "ok", "nothing waits for it", ""
