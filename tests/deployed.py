"""The real `cdk deploy` of the real app into the local cloud, once for the whole session.

A plugin, for all folders whose tests need it: a fixture that two conftests import is made twice.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud
from hitl_approval_cli.local.process import PERMISSIONS_PATH

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
ORGANIZATION = '{"name": "Brightwater", "color": "#0b5c6b"}'
"""Whose pages they are, where people sign in."""


def eventually(
    condition: Callable[[], Any], what: str, patience: float = PATIENCE, pause: float = 0.05
) -> Any:
    """Wait until the condition holds; returns its value."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause)
    pytest.fail(f"within {patience:.0f} s there was no {what}")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    log = tmp_path_factory.mktemp("cloud") / "cloud.log"
    with LocalCloud.start(log_file=log) as running:
        cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, running.environment()))
        yield running


@pytest.fixture(scope="session")
def environment(cloud: LocalCloud) -> dict[str, str]:
    return {**os.environ, **cloud.environment()}


def permissions_of(cloud: LocalCloud) -> dict[str, list[dict[str, Any]]]:
    """Which grants the functions have used, and which of their calls were refused."""
    request = urllib.request.Request(
        f"{cloud.endpoint_url}{PERMISSIONS_PATH}",
        headers={"Authorization": f"AWS {cloud.access_key}:"},
    )
    with urllib.request.urlopen(request) as answer:
        found: dict[str, list[dict[str, Any]]] = json.load(answer)
    return found


@contextmanager
def no_call_refused(cloud: LocalCloud) -> Iterator[None]:
    """Fail if a function of this cloud makes a call meanwhile that its role does not allow."""
    before = permissions_of(cloud)["refused"]
    yield
    after = permissions_of(cloud)["refused"]
    assert [call for call in after if call not in before] == []


@dataclass
class Live:
    """A deployed stack, and the mailbox of one approver."""

    stack: str
    deployment: Deployment
    mailbox: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)

    def submit(self, **fields: Any) -> dict[str, Any]:
        document = {
            "document_id": "doc-123",
            "document_name": "Q4 Budget Proposal",
            "requester": "user@example.com",
        }
        started = self.deployment.submit(document | fields)
        eventually(lambda: self.row(started["approval_id"]), "row")
        return started

    def row(self, approval_id: str) -> dict[str, Any]:
        answer = self.deployment.client("dynamodb").get_item(
            TableName=f"{self.stack}-ApprovalRequests",
            Key={"approval_id": {"S": approval_id}},
            ConsistentRead=True,
        )
        return dict(answer.get("Item", {}))

    def rows(self, execution_arn: str) -> list[Any]:
        answer = self.deployment.client("dynamodb").scan(
            TableName=f"{self.stack}-ApprovalRequests",
            FilterExpression="execution_arn = :arn",
            ExpressionAttributeValues={":arn": {"S": execution_arn}},
        )
        return list(answer["Items"])

    def events(self, approval_id: str) -> list[str]:
        answer = self.deployment.call({"action": "history", "approval_id": approval_id})
        return [event["event"] for event in answer["events"]]

    def decide(self, approval_id: str, decision: str, **fields: Any) -> dict[str, Any]:
        return self.deployment.call(
            {
                "action": "decide",
                "approval_id": approval_id,
                "decision": decision,
                "approver": "test-approver",
                "comments": "read it twice",
            }
            | fields
        )

    def result(self, execution_arn: str, patience: float = PATIENCE) -> dict[str, Any]:
        def ended() -> Any:
            execution = self.deployment.outcome(execution_arn)
            return None if execution["Status"] == "RUNNING" else execution

        execution = eventually(ended, "end of the workflow", patience)
        assert execution["Status"] == "SUCCEEDED", execution
        answer = json.loads(execution["Result"])
        assert answer["statusCode"] == 200
        body: dict[str, Any] = json.loads(answer["body"])
        return body

    def messages(self, approval_id: str) -> list[dict[str, Any]]:
        """What the mailbox has received about one approval so far."""
        sqs = self.deployment.client("sqs")
        while batch := sqs.receive_message(
            QueueUrl=self.mailbox, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages", []):
            for message in batch:
                sqs.delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])
                self.received.append(json.loads(message["Body"]))
        return [m for m in self.received if approval_id in m["Message"]]


Deploy = Callable[..., Live]


def deploy_stack(cloud: LocalCloud, stack: str, assembly: Path, **context: str) -> Live:
    """`cdk deploy` of the app with some context into a cloud that is bootstrapped."""
    environment = cloud.environment()
    _synthesize(assembly, {"stack_name": stack, "removal_policy": "destroy", **context})
    cdk.finish("cdk deploy", cdk.start_deploy(ROOT, environment, assembly))
    deployment = Deployment(stack, cloud.region, None, cloud.endpoint_url)
    with patch.dict(os.environ, environment):  # a session keeps the configuration it met first
        deployment.client("cloudformation")
    return Live(stack, deployment)


def _synthesize(assembly: Path, values: Mapping[str, str]) -> None:
    """What `cdk synth` has app.py do, in this process, which has the CDK loaded already.

    The command itself is run by `hitl local`, in tests/e2e/test_local_commands.py, and by the
    README's commands.
    """
    from aws_cdk import App  # here, because it takes a second

    from hitl_approval_cdk import HitlApprovalStack, context

    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(analytics_reporting=False, outdir=str(assembly), context={**flags, **values})
    HitlApprovalStack(app, context.stack_name(values), **context.options(values))
    app.synth()


@pytest.fixture(scope="session")
def deploy(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """Deploy the app with some context; each stack once."""
    deployed: dict[str, Live] = {}
    assembly = tmp_path_factory.mktemp("cdk.out")

    def once(stack: str, **context: str) -> Live:
        if stack not in deployed:
            live = deploy_stack(cloud, stack, assembly, **context)
            live.mailbox = _subscribe_mailbox(live)
            deployed[stack] = live
        return deployed[stack]

    return once


PASSWORD = "Correct-horse-7"
"""Of everybody in the user pools of the tests."""


def add_person(cognito: Any, pool: str, name: str) -> None:
    """Somebody whose address is verified, as an administrator adds them."""
    verified = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(
        UserPoolId=pool, Username=name, UserAttributes=verified, MessageAction="SUPPRESS"
    )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True
    )


class People:
    """A Cognito user pool of the local cloud, whose people can sign in."""

    def __init__(self, cloud: LocalCloud) -> None:
        session = boto3.Session(cloud.access_key, "test", region_name=cloud.region)
        self._cognito = session.client("cognito-idp", endpoint_url=cloud.endpoint_url)
        pool = self._cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
        self._client = self._cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        issuer = f"https://cognito-idp.{cloud.region}.amazonaws.com/{pool}"
        self.sign_in = f"{issuer},{self._client}"
        for name in ("ann@example.com", "bob@example.com"):
            add_person(self._cognito, pool, name)

    def token(self, name: str, kind: str = "IdToken") -> str:
        """What this person's browser or program sends as a bearer token."""
        answer = self._cognito.initiate_auth(
            ClientId=self._client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return str(answer["AuthenticationResult"][kind])


@pytest.fixture(scope="session")
def people(cloud: LocalCloud) -> People:
    return People(cloud)


InMode = Callable[[str], Live]


@pytest.fixture(scope="session")
def in_mode(deploy: Deploy, people: People) -> InMode:
    """The app with one of the resume modes; people sign in to the one that resumes by callback."""

    def deployed(mode: str) -> Live:
        signing_in = {"sign_in": people.sign_in} if mode == "callback" else {}
        named = {"organization": ORGANIZATION} if mode == "callback" else {}
        options = {"operators": "olga", "poll_interval_seconds": "1", **signing_in, **named}
        return deploy(f"app-{mode}", resume=mode, **options)

    return deployed


@pytest.fixture(params=["callback", "polling"])
def live(request: pytest.FixtureRequest, in_mode: InMode) -> Live:
    return in_mode(str(request.param))


@pytest.fixture
def callback_live(in_mode: InMode) -> Live:
    return in_mode("callback")


def _subscribe_mailbox(live: Live) -> str:
    sqs = live.deployment.client("sqs")
    url = str(sqs.create_queue(QueueName=f"{live.stack}-mailbox")["QueueUrl"])
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    live.deployment.client("sns").subscribe(
        TopicArn=live.deployment.output("SnsTopicArn"),
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
    )
    return url


class Links:
    """The mailboxes of two approvers, each of which receives only its own messages."""

    def __init__(self, live: Live) -> None:
        self.live = live
        sqs, sns = live.deployment.client("sqs"), live.deployment.client("sns")
        topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
        [topic] = [arn for arn in topics if f":{live.stack}-" in arn and "Personal" in arn]
        self.boxes: dict[str, str] = {}
        self.received: dict[str, list[str]] = {"ann": [], "bob": []}
        for name in self.received:
            url = str(sqs.create_queue(QueueName=f"{live.stack}-{name}")["QueueUrl"])
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=attributes["Attributes"]["QueueArn"],
                Attributes={"FilterPolicy": json.dumps({APPROVER_ATTRIBUTE: [name]})},
            )
            self.boxes[name] = url

    def mail(self, name: str, approval_id: str) -> str:
        """The text of the message to this approver about this approval."""

        def found() -> str | None:
            sqs = self.live.deployment.client("sqs")
            for message in sqs.receive_message(
                QueueUrl=self.boxes[name], MaxNumberOfMessages=10
            ).get("Messages", []):
                self.received[name].append(json.loads(message["Body"])["Message"])
                sqs.delete_message(
                    QueueUrl=self.boxes[name], ReceiptHandle=message["ReceiptHandle"]
                )
            return next((text for text in self.received[name] if approval_id in text), None)

        return str(eventually(found, f"message for {name}"))

    def link(self, name: str, approval_id: str) -> str:
        """The link in that message, as a mail program would find it."""
        [link] = re.findall(rf"http\S+/a/{approval_id}\.\S+", self.mail(name, approval_id))
        return str(link)


@pytest.fixture(scope="session")
def links(in_mode: InMode) -> Links:
    return Links(in_mode("callback"))
