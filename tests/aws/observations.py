"""What only AWS can settle, as observations of a deployed stack; and how that is deleted."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import boto3
from botocore.exceptions import ClientError

from hitl_approval.contract import APPROVER_ATTRIBUTE, Metrics, Output
from hitl_approval.domain.approval import derive_approval_id
from tests.deployed import Live, eventually

METRICS_PATIENCE: Final = 240
"""Seconds: CloudWatch shows a metric from a log about two minutes later."""
PEOPLE: Final = ("ann", "bob")


@dataclass
class Observed:
    """One deployed stack under observation.

    Attributes:
        live: it.
        queues: who -> URL of the queue that their messages come to; "" is everybody's.
        links: who -> texts of their messages.
    """

    live: Live
    queues: dict[str, str] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client for the stack's account and region."""
        return self.live.deployment.client(service)

    def listen(self) -> None:
        """Subscribe a queue for all, and one for each person with a filter from the start."""
        self.live.mailbox = self._queue("all", self.live.deployment.output(Output.SNS_TOPIC_ARN))
        personal = self.live.deployment.output(Output.PERSONAL_TOPIC_ARN)
        for name in PEOPLE:
            policy = json.dumps({APPROVER_ATTRIBUTE: [name]})
            self.queues[name] = self._queue(name, personal, FilterPolicy=policy)
            self.texts[name] = []

    def _queue(self, name: str, topic: str, **attributes: str) -> str:
        sqs = self.client("sqs")
        url = str(sqs.create_queue(QueueName=f"{self.live.stack}-{name}")["QueueUrl"])
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes
        )
        return url

    def mail(self, name: str, approval_id: str) -> str:
        """The text of the message to this person about this approval."""

        def found() -> str | None:
            sqs = self.client("sqs")
            answer = sqs.receive_message(QueueUrl=self.queues[name], MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.texts[name].append(json.loads(message["Body"])["Message"])
                sqs.delete_message(
                    QueueUrl=self.queues[name], ReceiptHandle=message["ReceiptHandle"]
                )
            return next((text for text in self.texts[name] if approval_id in text), None)

        return str(eventually(found, f"message for {name}"))

    def across(self, deploy: Callable[[], Live]) -> str:
        """What began before a deployment ends on the version that it began on."""
        before = self.live.deployment.output(Output.WORKFLOW_VERSION)
        started = self.live.submit()
        self.live.deployment = deploy().deployment
        after = self.live.deployment.output(Output.WORKFLOW_VERSION)
        assert before != after
        assert f":{before}/" in started["execution_arn"]
        self.live.decide(started["approval_id"], "approved")
        assert self.live.result(started["execution_arn"])["decision"] == "approved"
        return f"version {before} ended after {after} was deployed"

    def metrics(self) -> str:
        """The lines of the log are metrics."""
        now = datetime.now(UTC)

        def counted() -> float:
            answer = self.client("cloudwatch").get_metric_statistics(
                Namespace=Metrics.NAMESPACE,
                MetricName=Metrics.REQUESTED,
                Dimensions=[
                    {
                        "Name": Metrics.DEPLOYMENT,
                        "Value": self.live.deployment.output(Output.APPROVALS_TABLE_NAME),
                    }
                ],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=7200,
                Statistics=["Sum"],
            )
            return float(sum(point["Sum"] for point in answer["Datapoints"]))

        count = eventually(counted, "metric", METRICS_PATIENCE)
        return f"{Metrics.REQUESTED} is {count:.0f}"

    def denied(self) -> str:
        """No function was refused anything, as far as the logs say."""
        logs, found = self.client("logs"), []
        groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{self.live.stack}-")
        names = [group["logGroupName"] for group in groups["logGroups"]]
        assert names
        for name in names:
            for word in ("AccessDenied", "not authorized"):
                answer = logs.filter_log_events(logGroupName=name, filterPattern=f'"{word}"')
                found += [f"{name}: {event['message']}" for event in answer["events"]]
        assert not found, "\n".join(found)
        return f"{len(names)} log groups"


def arn_of_the_start(observed: Observed) -> str:
    """The ARN in the start's answer is the one that the execution sees: the id is derived of it."""
    started = observed.live.submit()
    row = observed.live.row(started["approval_id"])
    assert row["execution_arn"]["S"] == started["execution_arn"]
    observed.live.decide(started["approval_id"], "approved")
    observed.live.result(started["execution_arn"])
    return "as in the start's answer"


def visible_after(observed: Observed) -> str:
    """How long an accepted execution is unknown to GetDurableExecution."""
    client = observed.client("lambda")
    event = {"document_id": "d", "document_name": "visible", "requester": "rita"}
    arn = client.invoke(
        FunctionName=observed.live.deployment.output(Output.WORKFLOW_FUNCTION_ARN),
        InvocationType="Event",
        Payload=json.dumps(event),
    )["DurableExecutionArn"]
    began, unknown = time.monotonic(), 0
    while True:
        try:
            client.get_durable_execution(DurableExecutionArn=arn)
            break
        except client.exceptions.ResourceNotFoundException:
            unknown += 1
            assert time.monotonic() - began < 60, "unknown for a minute"
    seconds = time.monotonic() - began
    approval_id = derive_approval_id(arn, "document")
    eventually(lambda: observed.live.row(approval_id), "row")
    observed.live.decide(approval_id, "rejected")
    observed.live.result(arn)
    return f"{unknown} answers that it is unknown, {seconds:.2f} s"


def codes_of_callbacks(observed: Observed) -> str:
    """What completing a closed callback, and one that never was, is answered."""
    started = observed.live.submit()
    callback = observed.live.row(started["approval_id"])["callback_id"]["S"]
    observed.live.decide(started["approval_id"], "approved")
    observed.live.result(started["execution_arn"])
    codes = []
    for callback_id in (callback, "bm90LWEtY2FsbGJhY2s="):
        try:
            observed.client("lambda").send_durable_execution_callback_success(
                CallbackId=callback_id, Result=b"{}"
            )
            codes.append("accepted")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    known = {
        "CallbackTimeoutException",
        "ResourceNotFoundException",
        "InvalidParameterValueException",
    }
    assert set(codes) <= known, codes
    return f"closed {codes[0]}, unknown {codes[1]}"


def filter_from_the_start(observed: Observed) -> str:
    """A filter that is given with the subscription keeps links apart at once."""
    started = observed.live.submit(approvers=list(PEOPLE))
    approval_id = started["approval_id"]
    tokens = {name: observed.mail(name, approval_id) for name in PEOPLE}
    assert tokens["ann"] != tokens["bob"]
    for texts in observed.texts.values():
        assert len([text for text in texts if approval_id in text]) == 1
    [link] = re.findall(rf"http\S+/a/{approval_id}\.\S+", tokens["bob"])
    return _decide_by(observed, str(link), started)


def _decide_by(observed: Observed, link: str, started: Mapping[str, Any]) -> str:
    """HEAD and GET change nothing, a form decides: as it comes through API Gateway, base64 too."""
    assert _follow(observed, link, "HEAD")[0] == 200
    status, page = _follow(observed, link, "GET")
    assert (status, "Q4 Budget Proposal" in page) == (200, True)
    assert observed.live.row(started["approval_id"])["status"]["S"] == "pending"
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    form = {"nonce": nonce, "decision": "approved", "comments": "größer"}
    assert _follow(observed, link, "POST", form)[0] == 200
    body = observed.live.result(started["execution_arn"])
    assert (body["decided_by"], body["comments"]) == ("bob", "größer")
    return "HEAD, GET and POST"


def _follow(
    observed: Observed, link: str, method: str, form: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Follow a link as a browser would; a local cloud answers for the host in it."""
    at, cloud = urlsplit(link), observed.live.deployment.endpoint_url
    url = link if cloud is None else f"{cloud}{at.path}"
    data = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(url, data, {"Host": at.netloc}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def retries_of_the_alias(observed: Observed) -> str:
    """A failed start is never tried again by Lambda: people would be asked twice."""
    name = observed.live.deployment.output(Output.WORKFLOW_FUNCTION_NAME)
    found = observed.client("lambda").get_function_event_invoke_config(
        FunctionName=name, Qualifier="live"
    )
    assert found["MaximumRetryAttempts"] == 0
    return "0 retries"


OBSERVATIONS: Mapping[str, Callable[[Observed], str]] = {
    "the ARN of a start": arn_of_the_start,
    "when an execution is visible": visible_after,
    "codes of callbacks": codes_of_callbacks,
    "a personal link": filter_from_the_start,
    "retries of the alias": retries_of_the_alias,
}
"""What each settles -> the observation."""


def delete(stack: str, region: str) -> str:
    """Delete the stack, the queues of this run, and logs that were written after their end."""
    formation = boto3.client("cloudformation", region_name=region)
    formation.delete_stack(StackName=stack)
    formation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 5, "MaxAttempts": 120}
    )
    sqs = boto3.client("sqs", region_name=region)
    for url in sqs.list_queues(QueueNamePrefix=f"{stack}-").get("QueueUrls", []):
        sqs.delete_queue(QueueUrl=url)
    logs = boto3.client("logs", region_name=region)
    left = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{stack}-")["logGroups"]
    for group in left:
        logs.delete_log_group(logGroupName=group["logGroupName"])
    tables = boto3.client("dynamodb", region_name=region).list_tables()["TableNames"]
    assert not [name for name in tables if name.startswith(f"{stack}-")]
    return f"{len(left)} log groups after it"
