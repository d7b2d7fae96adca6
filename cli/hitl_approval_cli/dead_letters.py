"""What a deployment's dead-letter queue holds, and how each message is taken up again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from hitl_approval.adapters.items import marshal
from hitl_approval.contract import Audit, Output
from hitl_approval.domain.audit import parse_time
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.start import parse_document
from hitl_approval.domain.text import cut
from hitl_approval_cli import output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.functions import archive_queue, configuration_of, find_functions
from hitl_approval_cli.records import Records, batches

Kind = Literal["start", "events", "archive", "unknown"]
"""A start of the workflow; where in the audit table's stream a batch of events is; audit events
that could not be archived; something else."""

MOST: Final = 100
"""Messages of the queue that are read: what more there is, the next run reads."""
HIDDEN: Final = 120
"""Seconds that a message is shown to nobody else while it is read and taken up."""
BEFORE: Final = timedelta(minutes=5)
AFTER: Final = timedelta(minutes=1)
"""An audit event says when its transition was made, the stream when it arrived: so far apart at
most, with the tries of a commit and clocks that differ."""
MOST_SAID: Final = 500
"""Characters of a reason that are shown: the sentence of a refusal, no stack trace."""
_ERROR: Final = "ErrorMessage"
"""Attribute of a start that Lambda gave up: what its last attempt said."""
_BATCH: Final = "DDBStreamBatchInfo"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of the queue.

    Attributes:
        message_id: of SQS.
        kind: what it is.
        what: it is, in words, with why it failed.
        subject: it is, in words alone.
        content: as it was read.
        receipt: by which SQS deletes it.
    """

    message_id: str
    kind: Kind
    what: str
    subject: str
    content: Any
    receipt: str


def count_letters(deployment: Deployment) -> int:
    """About how many messages the queue holds."""
    with deployment.errors():
        answer = deployment.client("sqs").get_queue_attributes(
            QueueUrl=_queue(deployment), AttributeNames=["ApproximateNumberOfMessages"]
        )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def read_letters(deployment: Deployment) -> Sequence[Letter]:
    """The messages of the queue, each hidden from others until it is taken up or given back."""
    client, queue = deployment.client("sqs"), _queue(deployment)
    found: dict[str, Letter] = {}
    while len(found) < MOST:
        with deployment.errors():
            answer = client.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN,
                MessageAttributeNames=["All"],
            )
        new = [_letter(message) for message in answer.get("Messages", ())]
        if not new:
            break
        found |= {each.message_id: each for each in new}
    return list(found.values())


def give_back(deployment: Deployment, letters: Sequence[Letter]) -> None:
    """Leave these in the queue, where others find them at once."""
    client, queue = deployment.client("sqs"), _queue(deployment)
    for letter in letters:
        with deployment.errors():
            client.change_message_visibility(
                QueueUrl=queue, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What became of a message.

    Attributes:
        said: in words.
        started: the execution that began anew, as `Deployment.submit` answers; None of no start.
    """

    said: str
    started: Mapping[str, Any] | None = None


def take_up(deployment: Deployment, letter: Letter) -> TakenUp:
    """Do again what failed, and delete the message; what became of it.

    A start begins under a name that follows from the message, so that one which was taken up and
    not deleted is not started twice. How it ends is not waited for: one that fails again is put
    into the queue by Lambda, as another message.

    Raises:
        CliError: it failed again, or cannot be done; the message is where it was.
    """
    match letter.kind:
        case "start":
            done = _start(deployment, letter)
        case "events":
            done = TakenUp(_publish(deployment, letter.content))
        case "archive":
            done = TakenUp(_archive(deployment, letter.content))
        case _:
            raise CliError("it is nothing of this deployment's", code="UNKNOWN_LETTER")
    discard(deployment, letter)
    return done


def discard(deployment: Deployment, letter: Letter) -> None:
    """Delete the message: nobody has it any more."""
    with deployment.errors():
        deployment.client("sqs").delete_message(
            QueueUrl=_queue(deployment), ReceiptHandle=letter.receipt
        )


def _letter(message: Mapping[str, Any]) -> Letter:
    try:
        content = json.loads(message["Body"])
    except ValueError:
        content = None
    kind, what = _read(content)
    error = message.get("MessageAttributes", {}).get(_ERROR, {}).get("StringValue", "")
    why = f", failed: {error[:MOST_SAID]}" if kind == "start" and error else ""
    receipt = message["ReceiptHandle"]
    return Letter(message["MessageId"], kind, what + why, what, content, receipt)


def _read(content: Any) -> tuple[Kind, str]:
    if isinstance(content, list) and content:
        return "archive", f"{output.count(len(content), 'audit event')} not archived"
    if not isinstance(content, dict):
        return "unknown", "not JSON as we write it"
    if _BATCH in content:
        batch = content[_BATCH]
        function = str(content.get("requestContext", {}).get("functionArn", "")).split(":")[-1:]
        since = batch.get("approximateArrivalOfFirstRecord", "an unknown time")
        size = batch.get("batchSize", "?")
        events = output.count(size, "event") if isinstance(size, int) else f"{size} events"
        whom = function[0] if function else "a function"
        return "events", f"{events} since {since} not taken by {whom}"
    subject = content.get("subject", content.get("document_name"))
    return "start", f"the start of {cut(str(subject))!r}" if subject else "a start"


def ask_again(deployment: Deployment, content: Mapping[str, Any]) -> str:
    """The command that asks for what a start asked for: its subject, people and time."""
    approvers, seconds = content.get("approvers"), content.get("timeout_seconds")
    options = [
        ("--document-id", content.get("document_id")),
        ("--requester", content.get("requester")),
        *(("--approver", each) for each in (approvers if isinstance(approvers, list) else ())),
        ("--timeout", f"{seconds}s" if isinstance(seconds, int) else None),
    ]
    words = [word for each in options if isinstance(each[1], str) for word in each]
    subject = str(content.get("subject", content.get("document_name", "SUBJECT")))
    return deployment.command("submit", "--subject", subject, *words)


def _start(deployment: Deployment, letter: Letter) -> TakenUp:
    try:
        parse_document(letter.content)
    except InvalidRequest as error:
        ask = ask_again(deployment, letter.content)
        msg = f"{error}: correct it, and ask by {ask}"
        raise CliError(msg, code=error.code) from None
    started = deployment.submit(letter.content, f"hitl-dead-letter-{letter.message_id}")
    return TakenUp(f"started {started['approval_id']}", started)


def _publish(deployment: Deployment, content: Mapping[str, Any]) -> str:
    """Bring the whole trails to the function again that the batch is of, each in its order.

    Part of a trail would not do: a request that was answered since would come into an inbox again.
    """
    try:
        name = content["requestContext"]["functionArn"].split(":function:")[1].partition(":")[0]
        since = parse_time(content[_BATCH]["approximateArrivalOfFirstRecord"]) - BEFORE
        until = parse_time(content[_BATCH]["approximateArrivalOfLastRecord"]) + AFTER
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        msg = "it does not say which function failed, and when"
        raise CliError(msg, code="UNKNOWN_LETTER") from None
    if name not in find_functions(deployment).values():
        raise CliError(f"{name} is no function of this deployment", code="UNKNOWN_LETTER")
    records = Records(deployment)
    found = dict.fromkeys(
        event[Audit.PARTITION_KEY] for event in records.events(since=since, until=until)
    )
    events = (event for approval_id in found for event in records.stored(approval_id))
    count = 0
    for batch in batches(events):
        _invoke(deployment, name, batch)
        count += len(batch)
    events_of = f"{output.count(count, 'event')} of {output.count(len(found), 'approval')}"
    return f"brought {events_of} to {name}, as whole trails"


def _invoke(deployment: Deployment, function: str, events: Sequence[Mapping[str, Any]]) -> None:
    payload = {"Records": list(_as_of_a_stream(events))}
    with deployment.errors():
        answer = deployment.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(payload).encode()
        )
        said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or not isinstance(said, dict) or said.get("batchItemFailures"):
        msg = f"{function} did not take them: its log says why"
        raise CliError(msg, code="FUNCTION_ERROR")


def _as_of_a_stream(events: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Events as they are stored, as Lambda brings them from a DynamoDB stream."""
    for number, event in enumerate(events, start=1):
        yield {
            "eventSource": "aws:dynamodb",
            "eventName": "INSERT",
            "dynamodb": {"SequenceNumber": str(number), "NewImage": marshal(event)},
        }


def _archive(deployment: Deployment, events: Sequence[Any]) -> str:
    """Into the archive's own queue again, which brings them to the publisher."""
    queue = archive_queue(deployment)
    if queue is None:
        raise CliError("the deployment has no archive", code="NO_ARCHIVE")
    with deployment.errors():
        deployment.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(events))
    return f"archives {output.count(len(events), 'event')} again"


def _queue(deployment: Deployment) -> str:
    """The queue's URL: what the workflow function has as its dead-letter queue is this one."""
    configuration = configuration_of(deployment, deployment.output(Output.WORKFLOW_FUNCTION_NAME))
    arn = configuration.get("DeadLetterConfig", {}).get("TargetArn")
    if not arn:
        msg = "the workflow function has no dead-letter queue: deploy the stack again"
        raise CliError(msg, code="NO_DEAD_LETTER_QUEUE")
    *_, account, name = arn.split(":")
    with deployment.errors():
        answer = deployment.client("sqs").get_queue_url(
            QueueName=name, QueueOwnerAWSAccountId=account
        )
    return str(answer["QueueUrl"])
