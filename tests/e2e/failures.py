"""Failures of a deployment, staged on the local cloud, and how the runbook has them fixed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.contract import Env, Output
from hitl_approval.domain.archive import object_key
from hitl_approval_cli.functions import archive_queue, configuration_of, find_functions

from .operated import ANN, BOB, OPERATOR, Operated, Words, until

LONG_AGO: Final = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Failure:
    """One failure.

    Attributes:
        symptom: what an operator knows at first.
        section: of the runbook, where they find it.
        commands: of that section, which fix it, in this order, as they stand there.
        stage: breaks the deployment; returns what the operator knows of it.
        see: does what the section says shows it; returns the words that the commands need.
        well: whether it is fixed.
    """

    symptom: str
    section: str
    commands: Sequence[str]
    stage: Callable[[Operated], Words]
    see: Callable[[Operated, Words], Words]
    well: Callable[[Operated, Words], bool]


def _said(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"not said: {pattern}\n{text}"
    return found[1]


def _park(on: Operated) -> Words:
    asked = on.ask("Parked")
    on.store.postpone(
        asked["ID"], found_on="pending", tries=9, until=None, reason="it could not be read"
    )
    return asked


def _lose_the_callback(on: Operated) -> Words:
    asked = on.ask("Decided, and not resumed")
    callback = on.row(asked["ID"])["callback_id"]["S"]
    on.write(asked["ID"], callback_id="bm90LWEtYmVsbA==")
    on.deployment.call(
        {"action": "decide", "approval_id": asked["ID"], "decision": "approved", "approver": BOB}
    )
    on.write(asked["ID"], callback_id=callback, attention_at=LONG_AGO)
    return asked


def _see_not_resumed(on: Operated, _: Words) -> Words:
    return {"ID": _said(r"hitl resume (\w+)", on.wrong("not resumed"))}


def _has_ended(on: Operated, words: Words) -> bool:
    return bool(until(lambda: on.deployment.outcome(words["ARN"])["Status"] == "SUCCEEDED", "end"))


def _switch_the_sweep_off(on: Operated) -> Words:
    function = find_functions(on.deployment)["Sweep"]
    arn = configuration_of(on.deployment, function)["FunctionArn"]
    [rule] = on.client("events").list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    on.client("events").disable_rule(Name=rule)
    asked = on.ask("Overdue", timeout_seconds=1)
    on.stop(asked["ARN"])
    on.write(asked["ID"], attention_at=LONG_AGO)
    return asked


def _see_the_schedule(on: Operated, _: Words) -> Words:
    return {"RULE": _said(r"enable-rule --name (\S+)", on.wrong("schedules"))}


def _was_closed(on: Operated, words: Words) -> bool:
    until(lambda: on.row(words["ID"])["status"]["S"] == "timeout", "the sweep closes it")
    return on.is_well("schedules") and on.is_well("overdue")


def _fail_a_start(on: Operated) -> Words:
    subject = f"Failed at its start {time.monotonic_ns()}"
    event = {"subject": subject, "requester": "rita"}
    on.dead_letter(event, ErrorCode="200", ErrorMessage="the key was disabled")
    return {"SUBJECT": subject}


def _see_dead_letters(on: Operated, _: Words) -> Words:
    on.wrong("dead letters")
    shown = on.hitl("repair", "--dead-letters", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()
    return {}


def _fail_a_hopeless_start(on: Operated) -> Words:
    """It asks somebody whom the deployment does not name."""
    event = {"subject": "Hopeless", "requester": "rita", "approvers": ["zoe@example.com"]}
    on.dead_letter(event, ErrorCode="200", ErrorMessage="approvers: names 'zoe@example.com'")
    return {}


def _see_that_it_fails_again(on: Operated, words: Words) -> Words:
    _see_dead_letters(on, words)
    said = on.hitl("repair", "--dead-letters", "--yes")
    assert said.returncode == 1, said.stdout
    assert "not done" in said.stdout, said.stdout
    assert "failed again: approvers: names 'zoe@example.com'" in said.stdout, said.stdout

    def again() -> str:
        found = json.loads(on.hitl("repair", "--dead-letters", "--dry-run", "--json").stdout)
        return "".join(one["message_id"] for one in found["dead_letters"])

    return {"MESSAGE": str(until(again, "the start that has failed again"))}


def _was_asked(on: Operated, words: Words) -> bool:
    def found() -> bool:
        page = on.deployment.call({"action": "list", "status": "pending", "limit": 100})
        return words["SUBJECT"] in {each["subject"] for each in page["approvals"]}

    until(found, "the start that had failed")
    return on.is_well("dead letters")


def _do_not_publish(on: Operated) -> Words:
    """A batch that was tried until the stream forgot it: its request is in no inbox."""
    asked = on.ask("Never published")
    until(lambda: asked["ID"] in on.inbox(BOB), "inbox")
    table = on.variable("Publisher", Env.INBOX_TABLE_NAME)
    for item in on.client("dynamodb").scan(TableName=table)["Items"]:
        if asked["ID"] in item["due"]["S"]:
            key = {"approver": item["approver"], "due": item["due"]}
            on.client("dynamodb").delete_item(TableName=table, Key=key)
    [requested] = on.store.history(asked["ID"])
    function = configuration_of(on.deployment, find_functions(on.deployment)["Publisher"])
    on.dead_letter(
        {
            "requestContext": {
                "functionArn": function["FunctionArn"],
                "condition": "RecordAgeExceeded",
            },
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000001",
                "batchSize": 1,
                "approximateArrivalOfFirstRecord": requested["at"],
                "approximateArrivalOfLastRecord": requested["at"],
            },
        }
    )
    assert asked["ID"] not in on.inbox(BOB)
    return asked


def _is_in_the_inbox(on: Operated, words: Words) -> bool:
    until(lambda: words["ID"] in on.inbox(BOB), "the request in Bob's inbox")
    return on.is_well("dead letters")


def _forget_the_sender(on: Operated) -> Words:
    sender = on.deployment.output(Output.MAIL_SENDER)
    on.client("sesv2").delete_email_identity(EmailIdentity=sender)
    asked = on.ask("Not mailed")
    messages = DynamoDbMessages(
        client=on.client("dynamodb"), table=on.variable("Messenger", Env.MESSAGES_TABLE_NAME)
    )

    def refused() -> list[Any]:
        found = [each for each in messages.about(asked["ID"]) if each.recipient]
        return found if found and all(each.reason for each in found) else []

    for message in until(refused, "mails that are refused"):
        messages.mark_unsent(replace(message, state="failed", due=None))  # as after a day
    return asked


def _see_the_mail(on: Operated, words: Words) -> Words:
    said = on.wrong("mail")
    on.wrong("messages")
    shown = on.hitl("show", words["ID"]).stdout
    assert "Not sent" in shown, shown
    return {"ADDRESS": _said(r"neither (\S+) nor", said)}


def _was_mailed(on: Operated, words: Words) -> bool:
    def sent() -> bool:
        record = on.deployment.call({"action": "get", "approval_id": words["ID"]})
        return all(each["state"] == "sent" for each in record["messages"])

    until(sent, "mails")
    return on.is_well("mail")


def _unsubscribe(on: Operated) -> Words:
    topic = on.deployment.output(Output.SNS_TOPIC_ARN)
    sns = on.client("sns")
    for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    return {}


def _see_the_topic(on: Operated, _: Words) -> Words:
    said = on.wrong("topic")
    return {
        "TOPIC": _said(r"--topic-arn (\S+)", said),
        "ADDRESS": _said(r"--notification-endpoint ([^\s;]+)", said),
    }


def _leave(on: Operated) -> Words:
    _withdraw_what_waits_for_ann(on)  # of other failures: what was staged is what is asked about
    asked = on.ask("Waits for Ann")
    until(lambda: asked["ID"] in on.inbox(ANN), "inbox")
    on.deploy([BOB, "cid@example.com"])
    return asked


def _withdraw_what_waits_for_ann(on: Operated) -> None:
    for approval_id in on.inbox(ANN):
        on.deployment.call({"action": "cancel", "approval_id": approval_id, "approver": OPERATOR})
    until(lambda: not on.inbox(ANN), "an empty inbox")


def _see_who_left(on: Operated, words: Words) -> Words:
    person = _said(r"stats --approver (\S+)", on.wrong("people"))
    shown = on.hitl("stats", "--approver", person).stdout
    assert words["ID"] in shown, shown
    return {"PERSON": person, "COLLEAGUE": "cid@example.com", "OPERATOR": OPERATOR}


def _nothing_waits_for_ann(on: Operated, words: Words) -> bool:
    until(lambda: words["ID"] not in on.inbox(ANN), "nothing waits for Ann")
    return bool(until(lambda: on.is_well("people"), "nobody who has left is asked"))


def _disable_the_key(on: Operated) -> Words:
    """What could not be archived for a day is in the dead-letter queue; more comes."""
    asked = on.ask("Not archived")
    key = on.deployment.output(Output.ARCHIVE_KEY_ARN)
    bucket = on.deployment.output(Output.ARCHIVE_BUCKET_NAME)
    until(lambda: on.client("s3").list_objects_v2(Bucket=bucket).get("Contents"), "archive")
    on.client("kms").disable_key(KeyId=key)
    late = on.ask("Archived late")
    queue = archive_queue(on.deployment)
    until(lambda: _depth(on, queue), "events that wait for the archive")
    on.client("sqs").purge_queue(QueueUrl=queue)
    names = ("approval_id", "sequence", "hash", "at")
    for event in on.store.history(late["ID"]):
        on.dead_letter([{name: event[name] for name in names}])
    return asked | {"ID": late["ID"]}


def _depth(on: Operated, queue: str | None) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = on.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return sum(int(answer["Attributes"].get(name, 0)) for name in names)


def _see_the_archive(on: Operated, _: Words) -> Words:
    return {"KEY": _said(r"enable-key --key-id (\S+)", on.wrong("archive"))}


def _is_archived(on: Operated, words: Words) -> bool:
    s3, bucket = on.client("s3"), on.deployment.output(Output.ARCHIVE_BUCKET_NAME)
    prefix = object_key(on.table, 1).rpartition("/")[0]

    def found() -> bool:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed]
        return any(words["ID"].encode() in body for body in bodies)

    until(found, "the event in the archive")
    return on.is_well("archive") and on.is_well("dead letters")


def _stop_the_page(on: Operated) -> Words:
    name = find_functions(on.deployment)["Page"]
    on.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return {}


def _see_the_function(on: Operated, _: Words) -> Words:
    said = on.wrong("functions")
    return {"FUNCTION": _said(r"delete-function-concurrency --function-name (\S+)", said)}


def _switch_the_stream_off(on: Operated) -> Words:
    name = find_functions(on.deployment)["Publisher"]
    client = on.client("lambda")
    [mapping] = [
        each
        for each in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        if ":dynamodb:" in each["EventSourceArn"]
    ]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    until(lambda: on.wrong_now("functions"), "a mapping that is off")
    return on.ask("Published late")


def _see_the_stream(on: Operated, words: Words) -> Words:
    assert words["ID"] not in on.inbox(BOB)
    said = on.wrong("functions")
    return {"UUID": _said(r"update-event-source-mapping --uuid (\S+)", said)}


def _is_published(on: Operated, words: Words) -> bool:
    until(lambda: words["ID"] in on.inbox(BOB), "the request in Bob's inbox")
    return on.is_well("functions")


def _nobody_answers(on: Operated) -> Words:
    return on.ask("Nobody answers")


def _see_what_waits(on: Operated, words: Words) -> Words:
    assert words["ID"][:6] in on.hitl("list", "--oldest", "--limit", "100").stdout
    shown = on.hitl("show", words["ID"])
    assert shown.returncode == 0, shown.stderr
    return {}


def _were_reminded(on: Operated, words: Words) -> bool:
    def reminded() -> bool:
        record = on.deployment.call({"action": "get", "approval_id": words["ID"]})
        sent = {each["recipient"] for each in record["messages"] if each["kind"] == "reminder"}
        return bool(sent)

    return bool(until(reminded, "a reminder"))


FAILURES: Final[Sequence[Failure]] = (
    Failure(
        "An alarm: a record could not be taken for what it is.",
        "PassedOverAlarm",
        ["hitl repair ID"],
        _park,
        lambda on, words: {} if "could not be read" in on.wrong("parked") else words,
        lambda on, _: on.is_well("parked"),
    ),
    Failure(
        "An alarm: a decision did not resume its workflow.",
        "DecidedNotResumedAlarm",
        ["hitl resume ID"],
        _lose_the_callback,
        _see_not_resumed,
        _has_ended,
    ),
    Failure(
        "An alarm: the sweep has not run for two of its periods.",
        "SweepAbsentAlarm",
        ["aws events enable-rule --name RULE", "hitl doctor --fix"],
        _switch_the_sweep_off,
        _see_the_schedule,
        _was_closed,
    ),
    Failure(
        "An alarm: a start failed every attempt.",
        "DeadLetterAlarm",
        ["hitl repair --dead-letters"],
        _fail_a_start,
        _see_dead_letters,
        _was_asked,
    ),
    Failure(
        "An alarm: a start failed every attempt, and nobody can be asked by it.",
        "DeadLetterAlarm",
        ["hitl repair --dead-letters --discard MESSAGE"],
        _fail_a_hopeless_start,
        _see_that_it_fails_again,
        lambda on, _: on.is_well("dead letters"),
    ),
    Failure(
        "An alarm: an event failed every attempt; Bob misses a request in his inbox.",
        "DeadLetterAlarm",
        ["hitl repair --dead-letters"],
        _do_not_publish,
        _see_dead_letters,
        _is_in_the_inbox,
    ),
    Failure(
        "An alarm: approvers could not be notified of a request.",
        "NotificationFailedAlarm",
        ["aws sesv2 create-email-identity --email-identity ADDRESS", "hitl repair ID"],
        _forget_the_sender,
        _see_the_mail,
        _was_mailed,
    ),
    Failure(
        "The team says that it gets no mails about requests any more.",
        "Nobody is subscribed",
        ["aws sns subscribe --topic-arn TOPIC --protocol email --notification-endpoint ADDRESS"],
        _unsubscribe,
        _see_the_topic,
        lambda on, _: on.is_well("topic"),
    ),
    Failure(
        "An alarm: audit events are not archived.",
        "ArchiveFailedAlarm",
        ["aws kms enable-key --key-id KEY", "hitl repair --dead-letters"],
        _disable_the_key,
        _see_the_archive,
        _is_archived,
    ),
    Failure(
        "An alarm: Lambda throttles a function; links open nothing.",
        "ThrottledFunctionsAlarm",
        ["aws lambda delete-function-concurrency --function-name FUNCTION"],
        _stop_the_page,
        _see_the_function,
        lambda on, _: on.is_well("functions") and on.is_well("page"),
    ),
    Failure(
        "An alarm: events reach the bus and the inboxes late.",
        "EventsLateAlarm",
        ["aws lambda update-event-source-mapping --uuid UUID --enabled"],
        _switch_the_stream_off,
        _see_the_stream,
        _is_published,
    ),
    Failure(
        "An alarm: one in twenty pending requests is older than it should be.",
        "PendingAgeAlarm",
        ["hitl remind ID"],
        _nobody_answers,
        _see_what_waits,
        _were_reminded,
    ),
    Failure(
        "Ann has left the company, and her colleagues wait for an approval.",
        "Somebody has left",
        ["hitl reassign ID --from PERSON --to COLLEAGUE --as OPERATOR"],
        _leave,
        _see_who_left,
        _nothing_waits_for_ann,
    ),
)
"""In this order: the last one leaves other people in the group."""
