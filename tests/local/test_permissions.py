"""Functions held to their roles. Threat: what AWS would refuse works here, and fails only there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import iam, sts

from hitl_approval_cli.local.calls import Call, Demand
from hitl_approval_cli.local.permissions import Permissions, Role
from tests.local.harness import Deployed, Emulator, any_name, eventually
from tests.local.test_access import call

ACCOUNT, REGION = "000000000000", "us-east-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/rows"
CONFIG = {
    "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pay:3",
    "FunctionName": "pay",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/path/Payer",
}
MANAGED = "arn:aws:iam::aws:policy/service-role"
GET = Demand("dynamodb:GetItem", TABLE)


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


@pytest.fixture
def permissions(monkeypatch: pytest.MonkeyPatch) -> Permissions:
    monkeypatch.setattr(sts, "_sessions", {})
    monkeypatch.setattr(iam, "_roles", type(iam._roles)())
    return Permissions("secret")


def give(*statements: dict[str, Any], **role: Any) -> None:
    """Give the function's role these rights."""
    found = {"RoleName": "Payer", "InlinePolicies": {}, "AttachedPolicies": [], **role}
    if statements:
        found["InlinePolicies"] = {"own": json.dumps({"Statement": list(statements)})}
    iam._roles.set_scoped(ACCOUNT, None, "Payer", found)


@pytest.mark.parametrize(
    ("statements", "demand", "allowed"),
    [
        ([allow("dynamodb:GetItem", TABLE)], GET, True),
        ([allow("dynamodb:getitem", TABLE)], GET, True),
        ([allow(["dynamodb:Query", "dynamodb:Get*"], ["other", TABLE])], GET, True),
        ([allow("dynamodb:*Item", f"{TABLE[:-1]}?")], GET, True),
        ([allow("dynamodb:PutItem", TABLE)], GET, False),
        ([allow("dynamodb:GetItem", TABLE.upper())], GET, False),
        ([allow("dynamodb:GetItem", f"{TABLE}/*")], GET, False),
        ([allow("dynamodb:Query", TABLE)], Demand("dynamodb:Query", f"{TABLE}/index/One"), False),
        ([allow("*", "*"), deny("dynamodb:GetItem", TABLE)], GET, False),
        ([allow("*", "*"), deny("dynamodb:PutItem", TABLE)], GET, True),
        (
            [allow("s3:List*", "*", Condition={"StringEquals": {"s3:prefix": "rows/"}})],
            Demand("s3:ListBucket", "arn:aws:s3:::none", {"s3:prefix": "rows/"}),
            True,
        ),
        (
            [allow("s3:List*", "*", Condition={"StringEquals": {"s3:prefix": "rows/"}})],
            Demand("s3:ListBucket", "arn:aws:s3:::none", {"s3:prefix": "other/"}),
            False,
        ),
        (
            [allow("*", "*"), deny("*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
            GET,
            True,
        ),
    ],
)
def test_should_decide_as_iam_does(
    permissions: Permissions, statements: list[dict[str, Any]], demand: Demand, allowed: bool
) -> None:
    give(*statements)
    assert permissions.allow(CONFIG, demand) is allowed


def test_should_refuse_where_one_of_several_is_not_allowed(permissions: Permissions) -> None:
    give(allow("dynamodb:GetItem", TABLE))
    assert not permissions.allow(CONFIG, GET, Demand("dynamodb:PutItem", TABLE))


def test_should_go_no_further_than_a_boundary(permissions: Permissions) -> None:
    boundary = f"{MANAGED}/AWSLambdaBasicExecutionRole"
    give(allow("dynamodb:GetItem", TABLE), PermissionsBoundary=boundary)
    assert not permissions.allow(CONFIG, GET)


def test_should_know_what_aws_gives_durable_functions(permissions: Permissions) -> None:
    give(AttachedPolicies=[f"{MANAGED}/AWSLambdaBasicDurableExecutionRolePolicy"])
    assert permissions.allow(CONFIG, Demand("lambda:CheckpointDurableExecution", "any"))
    assert permissions.allow(CONFIG, Demand("logs:PutLogEvents", "any"))
    assert not permissions.allow(CONFIG, GET)


def test_should_hold_nothing_to_policies_that_are_not_here(permissions: Permissions) -> None:
    assert permissions.allow(CONFIG, GET)  # there is no such role
    give(AttachedPolicies=[f"{MANAGED}/SomethingOfAwsThatTheEmulatorHasNot"])
    assert permissions.allow(CONFIG, GET)
    give(AttachedPolicies=[f"{MANAGED}/AWSLambdaBasicExecutionRole"])
    assert not permissions.allow(CONFIG, GET)


def test_should_draw_a_key_that_nobody_guesses_for_each_function(permissions: Permissions) -> None:
    key = permissions.key(CONFIG)
    assert key == permissions.key(dict(CONFIG)) == Permissions("secret").key(CONFIG)
    others = [
        Permissions("another").key(CONFIG),
        permissions.key({**CONFIG, "Role": f"arn:aws:iam::{ACCOUNT}:role/Other"}),
        permissions.key({**CONFIG, "FunctionArn": CONFIG["FunctionArn"] + "1"}),
    ]
    assert len({key, *others}) == 4
    assert sts._sessions[key]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Payer/pay"


def test_should_read_whose_a_function_is() -> None:
    assert Role.of(CONFIG) == Role(ACCOUNT, REGION, "Payer", "pay")


def test_should_answer_with_the_words_of_aws(permissions: Permissions) -> None:
    give(allow("dynamodb:PutItem", TABLE))
    body = json.dumps({"TableName": "rows", "Key": {}}).encode()
    target = {"x-amz-target": "DynamoDB_20120810.GetItem", "content-type": "application/json"}
    with request_scope(ACCOUNT, REGION):
        answer = permissions.answer(Role.of(CONFIG), Call("POST", "/", target, {}, body))
    assert answer is not None
    status, headers, written = answer
    said = json.loads(written)
    assert (status, said["__type"].rpartition("#")[2]) == (403, "AccessDeniedException")
    assert said["message"] == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Payer/pay is not authorized to perform: "
        f"dynamodb:GetItem on resource: {TABLE} because no identity-based policy allows the "
        f"dynamodb:GetItem action"
    )
    assert headers["Content-Type"].startswith("application/x-amz-json")
    put = {**target, "x-amz-target": "DynamoDB_20120810.PutItem"}
    assert permissions.answer(Role.of(CONFIG), Call("POST", "/", put, {}, body)) is None


# On a cloud that runs


Grow = Callable[..., Deployed]


@pytest.fixture
def held(cloud: Emulator) -> Grow:
    """Deploy the plain function with a role of its own, which may do only this."""

    def made(*statements: dict[str, Any], **settings: Any) -> Deployed:
        name = any_name("role")
        roles = cloud.client("iam")
        role = roles.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            roles.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        deployed = cloud.deploy("plain.handler", **settings)
        deployed.lambda_.update_function_configuration(FunctionName=deployed.name, Role=role)
        return deployed

    return made


def unqualified(function: Deployed, event: dict[str, Any]) -> Any:
    answer = function.lambda_.invoke(FunctionName=function.name, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def role_of(function: Deployed) -> str:
    found = function.lambda_.get_function(FunctionName=function.name)["Configuration"]["Role"]
    return str(found).rpartition("/")[2]


def refused(cloud: Emulator, function: Deployed) -> set[tuple[str, str]]:
    name = role_of(function)
    return {(r["action"], r["resource"]) for r in report(cloud)["refused"] if r["role"] == name}


def report(cloud: Emulator) -> dict[str, list[dict[str, Any]]]:
    asked = urllib.request.Request(
        f"{cloud.endpoint_url}/_hitl/permissions", headers={"Authorization": f"AWS {cloud.key}:"}
    )
    with urllib.request.urlopen(asked) as answer:
        return dict(json.load(answer))


def test_should_refuse_what_a_role_does_not_allow(
    cloud: Emulator, counters: str, held: Grow
) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{counters}"
    function = held(allow(["dynamodb:GetItem", "dynamodb:Scan"], table))
    fields = {"TableName": counters, "Key": {"id": {"S": "x"}}}
    assert unqualified(function, {"call": ["dynamodb", "get_item", fields]}) == {}
    answer = unqualified(function, {"call": ["dynamodb", "delete_item", fields]})
    assert answer["Code"] == "AccessDeniedException"
    assert f"dynamodb:DeleteItem on resource: {table}" in answer["Message"]
    key = {"Bucket": "none", "Key": "x", "Body": "x" * 100_000}
    assert unqualified(function, {"call": ["s3", "put_object", key]})["Code"] == "AccessDenied"
    assert unqualified(function, {"call": ["sts", "get_caller_identity", {}]}) == {}

    name = role_of(function)
    grants = {g["action"]: g["calls"] for g in report(cloud)["grants"] if g["role"] == name}
    assert grants == {"dynamodb:GetItem": 1, "dynamodb:Scan": 0}
    refusals = {("dynamodb:DeleteItem", table), ("s3:PutObject", "arn:aws:s3:::none/x")}
    assert refusals <= refused(cloud, function)


def test_should_take_a_right_that_is_given_later(
    cloud: Emulator, counters: str, held: Grow
) -> None:
    function = held()
    describe = {"call": ["dynamodb", "describe_table", {"TableName": counters}]}
    assert unqualified(function, describe)["Code"] == "AccessDeniedException"
    document = json.dumps({"Statement": [allow("dynamodb:Describe*", "*")]})
    cloud.client("iam").put_role_policy(
        RoleName=role_of(function), PolicyName="later", PolicyDocument=document
    )
    assert unqualified(function, describe) == {}


@pytest.mark.parametrize("may", [True, False])
def test_should_write_the_log_of_a_function_that_may_write_one(
    cloud: Emulator, held: Grow, may: bool
) -> None:
    rights = [allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*")] if may else []
    function = held(*rights)
    unqualified(function, {"say": "hello"})
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    assert (f"/aws/lambda/{function.name}" in {g["logGroupName"] for g in groups}) is may


@pytest.mark.parametrize("may", [True, False])
def test_should_feed_a_function_that_may_read_the_queue(
    cloud: Emulator, held: Grow, may: bool
) -> None:
    queue = cloud.client("sqs")
    url = queue.create_queue(QueueName=any_name("feed"))["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    logging = allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*")
    function = held(logging, allow(reading if may else reading[:2], arn))
    function.lambda_.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)
    queue.send_message(QueueUrl=url, MessageBody="{}")

    def left() -> int:
        attributes = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(attributes[name]) for name in names)

    if may:
        eventually(lambda: left() == 0, "message that was taken")
    else:
        refusal = "sqs:GetQueueAttributes", arn
        eventually(lambda: refusal in refused(cloud, function), "refusal")
        assert left() == 1


def test_should_send_to_a_dead_letter_queue_only_where_the_role_may(
    cloud: Emulator, held: Grow
) -> None:
    queue = cloud.client("sqs")
    url = queue.create_queue(QueueName=any_name("dead"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
    refusing, sending = (held(allow("sqs:SendMessage", to)) for to in ("arn:other", arn))
    for function in (refusing, sending):
        function.lambda_.update_function_configuration(
            FunctionName=function.name, DeadLetterConfig={"TargetArn": arn}
        )
        function.lambda_.put_function_event_invoke_config(
            FunctionName=function.name, MaximumRetryAttempts=0
        )
        function.lambda_.invoke(
            FunctionName=function.name, InvocationType="Event", Payload=b'{"fail": "on purpose"}'
        )
    eventually(lambda: ("sqs:SendMessage", arn) in refused(cloud, refusing), "refusal")

    def received() -> Any:
        return queue.receive_message(QueueUrl=url).get("Messages")

    [message] = eventually(received, "dead letter")
    assert sending.name in message["Body"]
    assert received() is None


def test_should_answer_what_was_used_to_its_user_only(cloud: Emulator) -> None:
    assert call(cloud, "GET", "/_hitl/permissions").status == 403
    assert call(cloud, "GET", "/_hitl/permissions", cloud.key).status == 200
