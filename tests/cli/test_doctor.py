"""`hitl doctor`: what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.testing import FixedClock, World
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from tests.anything import NOW, any_opening, any_request, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import filed
from .subscriptions import page_of

# doctor


class Fine:
    """STS, SNS and CloudWatch of a healthy account."""

    def __init__(self) -> None:
        self.confirmed, self.pending = 1, 0
        self.counted: dict[str, float] = {}
        self.error: Exception | None = None
        self.subscribed: list[tuple[str, str]] = []
        """Of the topic of personal links: ARN and endpoint."""
        self.broadcast = [("arn:topic:0", "all@example.com")]
        """The same of the topic that everybody may subscribe to."""

    def list_subscriptions_by_topic(self, TopicArn: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        """One on each page."""
        subscribed = {"arn:personal": self.subscribed, "arn:topic": self.broadcast}[TopicArn]
        return page_of(subscribed, NextToken)

    def get_caller_identity(self) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"Arn": "arn:aws:iam::123456789012:user/ann"}

    def get_topic_attributes(self, TopicArn: str) -> dict[str, Any]:  # noqa: N803
        assert TopicArn == "arn:topic"
        return {
            "Attributes": {
                "SubscriptionsConfirmed": str(self.confirmed),
                "SubscriptionsPending": str(self.pending),
            }
        }

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        assert asked["Dimensions"] == [{"Name": "Deployment", "Value": "approvals"}]
        count = self.counted.get(asked["MetricName"])
        return {"Datapoints": [{"Sum": count}] if count else []}


@pytest.fixture
def fine(cloud: FakeCloud, tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch) -> Fine:
    fine = Fine()
    cloud.clients |= {"sts": fine, "sns": fine, "cloudwatch": fine}
    cloud.outputs |= {
        "WorkflowVersion": "7", "SnsTopicArn": "arn:topic", "SweepFunctionName": "sweep",
    }  # fmt: skip
    cloud.have_functions("Workflow", "Sweep")
    cloud.rules["every-5-minutes"] = {
        "Target": "sweep", "State": "ENABLED", "ScheduleExpression": "rate(5 minutes)",
    }  # fmt: skip
    monkeypatch.setattr(Deployment, "region_name", "us-east-1")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return fine


def states(hitl: Hitl) -> dict[str, str]:
    return {check["name"]: check["state"] for check in hitl("doctor", "--json").json["checks"]}


def test_should_find_nothing_wrong(hitl: Hitl, fine: Fine) -> None:
    result = hitl("doctor", "--json")
    assert result.status == 0
    assert result.json["healthy"] is True
    assert {check["state"] for check in result.json["checks"]} == {"ok"}
    assert [check["name"] for check in result.json["checks"]] == [
        "version", "credentials", "stack", "deployed version", "approval function", "functions",
        "schedules", "tables", "topic", "personal addresses", "mail", "page", "people", "messages",
        "overdue", "not resumed", "parked", "archive", "dead letters", "notifications", "records",
        "alarms",
    ]  # fmt: skip
    out = hitl("doctor").out
    assert "ok       credentials: arn:aws:iam::123456789012:user/ann in us-east-1" in out
    assert "ok       stack: hitl-approval, workflow version 7" in out


@pytest.mark.parametrize(("deployed", "said"), [("0.0.9", "0.0.9, hitl is"), (None, "not said")])
def test_should_say_that_another_version_is_deployed(
    hitl: Hitl, fine: Fine, cloud: FakeCloud, deployed: str | None, said: str
) -> None:
    del cloud.outputs["HitlApprovalVersion"]
    if deployed:
        cloud.outputs["HitlApprovalVersion"] = deployed
    result = hitl("doctor")
    assert result.status == 0
    assert f"unknown  deployed version: {said}" in result.out
    assert f"deploy with hitl-approval {LIBRARY_VERSION}" in result.out


@pytest.mark.parametrize("status", ["PAUSING", "PAUSED"])
def test_should_name_a_workflow_that_is_paused(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud, status: str
) -> None:
    long_ago = NOW - timedelta(days=1)
    held = tables.create(any_opening(now=long_ago, timeout=timedelta(days=3)))
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    then.decide(held.approval_id, declared("bob"), "approved")
    cloud.executions.append(held.execution_arn)
    cloud.execution = {"Status": status}
    result = hitl("doctor")
    assert result.status == 1
    assert f"paused in Lambda: {held.approval_id}" in result.out
    assert "resume the paused executions in Lambda" in result.out
    assert "hitl resume" not in result.out


def test_should_say_that_a_table_is_going(
    hitl: Hitl, fine: Fine, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"Table": {"TableStatus": "DELETING"}}
    monkeypatch.setattr(cloud.clients["dynamodb"], "describe_table", lambda **_: answer)
    assert "wrong    tables: approvals is DELETING" in hitl("doctor").out


@pytest.mark.parametrize(
    ("confirmed", "pending", "said"),
    [(0, 0, "deploy with notify_emails"), (0, 2, "confirm the subscription")],
)
def test_should_say_that_nobody_is_subscribed(
    hitl: Hitl, fine: Fine, confirmed: int, pending: int, said: str
) -> None:
    fine.confirmed, fine.pending = confirmed, pending
    result = hitl("doctor")
    assert result.status == 1
    assert said in result.out


def test_should_not_call_wrong_that_links_may_be_sent_instead(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    fine.confirmed = 0
    cloud.outputs["PersonalTopicArn"] = "arn:personal"
    assert states(hitl)["topic"] == "unknown"
    assert "deliver_to notifies named approvers" in hitl("doctor").out


@pytest.fixture
def delivered(fine: Fine, cloud: FakeCloud) -> Fine:
    """A stack with three addresses, one of them somebody's who has a name, and a queue."""
    cloud.outputs["PersonalTopicArn"] = "arn:personal"
    cloud.template |= {
        "Personal": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Broadcast": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Bot": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Everybody": subscription("Broadcast", "all@example.com"),
        "ToAnn": subscription("Personal", "ann@example.com", "ann@example.com"),
        "ToBob": subscription("Personal", "bob@example.com", "bob"),
        "ToCid": subscription("Personal", "cid@example.com", "cid@example.com"),
        "ToBot": subscription("Personal", {"Fn::GetAtt": ["Bot", "Arn"]}, "dan", "eve"),
    }
    cloud.physical |= {
        "Personal": "arn:personal",
        "Broadcast": "arn:topic",
        "Bot": "https://sqs.example/123456789012/bot",
        "Everybody": "arn:topic:0",
        "ToAnn": "arn:personal:1",
        "ToBot": "arn:personal:4",
    }
    fine.subscribed = [
        ("arn:personal:1", "ann@example.com"),
        ("arn:personal:2", "bob@example.com"),
        ("arn:personal:3", "cid@example.com"),
        ("arn:personal:4", "arn:aws:sqs:us-east-1:123456789012:bot"),
    ]
    return fine


def test_should_miss_who_ended_a_subscription_that_the_stack_makes(
    hitl: Hitl, delivered: Fine
) -> None:
    """Others are subscribed, or named approvers have links: a team gets nothing all the same."""
    delivered.broadcast = []
    delivered.confirmed = 0
    result = hitl("doctor")
    assert result.status == 1
    assert "0 confirmed, 0 to be confirmed; gone: all@example.com, which the stack" in result.out
    assert (
        "aws sns subscribe --topic-arn arn:topic --protocol email --notification-endpoint "
        "all@example.com"
    ) in result.out
    delivered.confirmed = 2
    assert states(hitl)["topic"] == "wrong"


def subscription(topic: str, endpoint: Any, *names: str) -> dict[str, Any]:
    filters = {"FilterPolicy": {"approver": list(names)}} if names else {}
    properties = {"TopicArn": {"Ref": topic}, "Endpoint": endpoint, **filters}
    return {"Type": "AWS::SNS::Subscription", "Properties": properties}


def personal(hitl: Hitl) -> dict[str, str]:
    result = hitl("doctor", "--json")
    [check] = [c for c in result.json["checks"] if c["name"] == "personal addresses"]
    assert result.status == int(check["state"] == "wrong")
    return dict(check)


def test_should_list_every_personal_address(hitl: Hitl, delivered: Fine) -> None:
    assert personal(hitl) == {
        "name": "personal addresses",
        "state": "ok",
        "found": "4 confirmed: ann@example.com, bob@example.com (for bob), cid@example.com, "
        "bot (for dan, eve)",
        "fix": "",
    }


def test_should_say_which_personal_address_waits_and_which_is_gone(
    hitl: Hitl, delivered: Fine
) -> None:
    delivered.subscribed[1] = ("PendingConfirmation", "bob@example.com")
    delivered.subscribed[2] = ("Deleted", "cid@example.com")
    check = personal(hitl)
    assert check["state"] == "wrong"
    assert check["found"] == (
        "2 confirmed: ann@example.com, bot (for dan, eve); "
        "1 waiting for confirmation: bob@example.com (for bob); 1 gone: cid@example.com"
    )
    assert check["fix"].startswith("who waits must confirm by the mail from AWS")
    assert "; take who is gone out of deliver_to and deploy, then" in check["fix"]
    del delivered.subscribed[1:]
    gone = "3 gone: bob@example.com (for bob), cid@example.com, bot (for dan, eve)"
    assert gone in personal(hitl)["found"]


def test_should_say_what_still_waits_for_somebody_whose_address_is_gone(
    hitl: Hitl, delivered: Fine, world: World
) -> None:
    delivered.subscribed[1] = ("Deleted", "bob@example.com")
    filed(world, "1" * 32, request=any_request(requester="rita", approvers=["bob"]))
    check = personal(hitl)
    assert check["found"].endswith(
        "; 1 gone: bob@example.com (for bob); 1 waits for bob, who has no personal address"
    )
    assert check["fix"].endswith("; hitl stats --approver bob shows what to hand over")


def test_should_say_what_still_waits_for_somebody_whom_no_address_is_for(
    hitl: Hitl, delivered: Fine, world: World, tables: DynamoDbStore
) -> None:
    """They were taken out of `deliver_to` after they had been asked."""
    for number, approvers in ("1", ["Fay", "bob"]), ("2", ["Fay"]), ("3", ["gus"]):
        request = any_request(requester="rita", approvers=approvers)
        opening = any_opening(approval_id=number * 32, request=request)
        asked = tables.create(opening)
        if approvers != ["gus"]:  # whose place somebody else has taken
            world.inbox.add(asked, asked.deciders)
    check = personal(hitl)
    assert check["state"] == "unknown"
    assert check["found"].endswith("; 2 wait for Fay, who has no personal address")
    assert check["fix"] == "hitl stats --approver Fay shows what to hand over"
    delivered.subscribed.append(("arn:personal:5", "arn:aws:sqs:us-east-1:123456789012:other"))
    assert personal(hitl)["state"] == "ok", "the stack of that queue knows whom it is for"


def test_should_name_by_its_resource_an_address_that_no_text_says(
    hitl: Hitl, delivered: Fine, cloud: FakeCloud
) -> None:
    joined = {"Fn::Join": ["", ["dan@", {"Ref": "Domain"}]]}
    cloud.template["ToBot"] = subscription("Personal", joined, "dan")
    del delivered.subscribed[3]
    assert "; 1 gone: ToBot (for dan)" in personal(hitl)["found"]


def test_should_find_an_address_that_was_subscribed_again_by_hand(
    hitl: Hitl, delivered: Fine
) -> None:
    delivered.subscribed[0] = ("arn:personal:9", "ann@example.com")
    delivered.subscribed[3] = ("arn:personal:8", "arn:aws:sqs:us-east-1:123456789012:bot")
    delivered.subscribed.insert(0, ("PendingConfirmation", "bob@example.com"))
    assert personal(hitl)["found"].startswith("4 confirmed: ann@example.com, ")


def test_should_list_what_another_stack_subscribes(hitl: Hitl, delivered: Fine) -> None:
    """A queue's subscription is made in the stack of the queue."""
    delivered.subscribed.append(("arn:personal:5", "arn:aws:sqs:us-east-1:123456789012:other"))
    delivered.subscribed.append(("PendingConfirmation", "fay@example.com"))
    delivered.subscribed.append(("arn:personal:6", "https://chat.example:8443/hook"))
    found = personal(hitl)["found"]
    assert "6 confirmed: " in found
    others = "other, https://chat.example:8443/hook; 1 waiting for confirmation: fay@example.com"
    assert f", {others}" in found


def test_should_say_that_nobody_is_sent_links(hitl: Hitl, fine: Fine, cloud: FakeCloud) -> None:
    assert personal(hitl)["found"] == "none: deliver_to names no approver"
    cloud.outputs["PersonalTopicArn"] = "arn:personal"
    assert personal(hitl)["state"] == "ok"


def test_should_not_call_addresses_wrong_that_it_may_not_list(
    hitl: Hitl, delivered: Fine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> None:
        error = {"Error": {"Code": "AuthorizationError", "Message": "no"}}
        raise ClientError(error, "ListSubscriptionsByTopic")  # type: ignore[arg-type]

    monkeypatch.setattr(delivered, "list_subscriptions_by_topic", refused)
    check = personal(hitl)
    assert check["state"] == "unknown"
    assert "ListSubscriptionsByTopic" in check["found"]


def test_should_say_that_approvers_could_not_be_notified(hitl: Hitl, fine: Fine) -> None:
    fine.counted["NotificationFailed"] = 3.0
    assert states(hitl)["notifications"] == "wrong"
    assert "of 3 requests somebody was not notified" in hitl("doctor").out


@pytest.mark.parametrize("metric", ["AlteredRecord", "AlteredTrail", "PassedOver"])
def test_should_say_that_a_record_is_not_what_it_was(hitl: Hitl, fine: Fine, metric: str) -> None:
    fine.counted[metric] = 2.0
    assert states(hitl)["records"] == "wrong"
    assert "hitl audit verify --all" in hitl("doctor").out


def test_should_not_call_wrong_what_it_may_not_read(
    hitl: Hitl, fine: Fine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, "GetMetricStatistics")  # type: ignore[arg-type]

    monkeypatch.setattr(fine, "get_metric_statistics", refused)
    result = hitl("doctor", "--json")
    assert result.status == 0
    assert states(hitl)["notifications"] == "unknown"
    assert "GetMetricStatistics" in hitl("doctor").out


def test_should_stop_where_nothing_more_can_be_seen(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    fine.error = NoCredentialsError()
    assert states(hitl) == {"version": "ok", "credentials": "wrong"}
    assert "no AWS credentials: run `aws configure`" in hitl("doctor").out
    fine.error = None
    cloud.outputs.clear()
    assert states(hitl) == {"version": "ok", "credentials": "ok", "stack": "wrong"}


@pytest.mark.parametrize(("running", "limited"), [(4, False), (21, True)])
def test_should_find_a_paused_workflow_among_many(  # noqa: PLR0917  fixtures
    hitl: Hitl,
    fine: Fine,
    tables: DynamoDbStore,
    cloud: FakeCloud,
    monkeypatch: pytest.MonkeyPatch,
    running: int,
    limited: bool,
) -> None:
    """More than are named come before it; what is not examined is said."""
    long_ago = NOW - timedelta(days=1)
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    for number in range(running + 1):
        opening = any_opening(
            approval_id=f"{number:032x}", execution_arn=f"arn/{number}", now=long_ago,
            timeout=timedelta(days=3),
        )  # fmt: skip
        approval = tables.create(opening)
        then.decide(approval.approval_id, declared("bob"), "approved")
    held = f"arn/{4}"

    def outcome(DurableExecutionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Status": "PAUSED" if DurableExecutionArn == held else "RUNNING"}

    monkeypatch.setattr(cloud, "get_durable_execution", outcome)
    out = hitl("doctor").out
    assert f"paused in Lambda{' (of the first 20)' if limited else ''}: {4:032x}\n" in out
    assert f"hitl resume {0:032x}; hitl resume {1:032x}; hitl resume {2:032x}; resume the" in out
    assert f"hitl resume {4:032x}" not in out


@pytest.mark.parametrize("code", ["KMSAccessDeniedException", "KMSAccessDenied"])
def test_should_name_the_key_that_may_not_be_used(
    hitl: Hitl, fine: Fine, cloud: FakeCloud, code: str
) -> None:
    cloud.failures.append(ClientError({"Error": {"Code": code}}, "Invoke"))
    result = hitl("doctor", "--json")
    [check] = [each for each in result.json["checks"] if each["name"] == "approval function"]
    assert (result.status, check["state"]) == (1, "wrong")
    assert check["found"] == (
        "Invoke: the KMS key that encrypts what is asked for may not be used: let the functions' "
        "roles, or these credentials, use it (kms:Decrypt, kms:GenerateDataKey), and check its "
        "policy"
    )


def test_should_say_what_is_wrong_before_it_says_that_nobody_can_be_asked(
    hitl: Hitl, fine: Fine
) -> None:
    fine.confirmed = 0
    result = hitl("doctor", "--fix")
    assert result.status == 2
    assert "wrong    topic: nobody is subscribed" in result.out
    assert "not a terminal, so nobody can be asked: pass --yes" in result.err
    assert hitl("doctor", "--fix", "--json").out == ""
