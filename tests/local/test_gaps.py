"""Each gap is still there in stock ministack, and closed in ours.

A test that fails at its stock half says that upstream no longer needs the function of the same name
in `gaps.py`: remove that function.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval_cli.local import LocalCloudError, sent_messages
from tests.local.harness import ROLE, Deployed, Emulator, any_name, eventually

KEY = "arn:aws:kms:us-east-1:000000000000:key/any"


def test_route_durable_requests(stock: Emulator, cloud: Emulator) -> None:
    def answer(emulator: Emulator) -> dict[str, Any]:
        return emulator.deploy().invoke({"do": "echo", "say": "hello"})

    assert "DurableExecutionArn" not in answer(stock)
    assert answer(cloud)["Payload"]["echo"] == "hello"


def test_run_functions_for_events(stock: Emulator, cloud: Emulator) -> None:
    def started(emulator: Emulator) -> list[Any]:
        function = emulator.deploy()
        sns = emulator.client("sns")
        topic = sns.create_topic(Name=any_name("topic"))["TopicArn"]
        version = function.lambda_.get_alias(FunctionName=function.name, Name="live")
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=version["AliasArn"])
        plain = _listener(emulator, topic)
        sns.publish(TopicArn=topic, Message="hello")
        eventually(lambda: _was_called(emulator, plain), "delivery")
        found = function.lambda_.list_durable_executions_by_function(FunctionName=function.name)
        return list(found["DurableExecutions"])

    assert started(stock) == []
    assert len(started(cloud)) == 1


def test_note_messages_to_people(stock: Emulator, cloud: Emulator) -> None:
    """Upstream says that it sent something, and to whom, and forgets what."""

    def sent(emulator: Emulator) -> set[tuple[str, str, str]]:
        name = any_name("topic")
        sns, ses = emulator.client("sns"), emulator.client("ses")
        topic = sns.create_topic(Name=name)["TopicArn"]
        queue = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"].split("/")[-1]
        for protocol, endpoint, wanted in (
            ("email", "ann@example.com", "ann"),
            ("email", "bob@example.com", "bob"),
            ("sqs", f"arn:aws:sqs:us-east-1:000000000000:{queue}", "ann"),
        ):
            sns.subscribe(
                TopicArn=topic,
                Protocol=protocol,
                Endpoint=endpoint,
                Attributes={"FilterPolicy": json.dumps({"approver": [wanted]})},
            )
        attributes = {"approver": {"DataType": "String", "StringValue": "ann"}}
        sns.publish(TopicArn=topic, Subject=name, Message="open it", MessageAttributes=attributes)
        ses.verify_email_identity(EmailAddress="from@example.com")
        ses.send_email(
            Source="from@example.com",
            Destination={"ToAddresses": ["cid@example.com"]},
            Message={"Subject": {"Data": name}, "Body": {"Text": {"Data": "signed"}}},
        )
        try:
            environment = {
                "AWS_ENDPOINT_URL": emulator.endpoint_url,
                "AWS_ACCESS_KEY_ID": emulator.key,
            }
            messages = [m for m in sent_messages(environment) if m["subject"] == name]
        except LocalCloudError:
            return set()
        assert [m["number"] for m in messages] == sorted(m["number"] for m in messages)
        assert sent_messages(environment, after=messages[-1]["number"]) == []
        return {(m["channel"], m["to"][0].replace(name, "queue"), m["body"]) for m in messages}

    assert sent(stock) == set()
    assert sent(cloud) == {
        ("email", "ann@example.com", "open it"),
        ("sqs", "queue", "open it"),
        ("ses", "cid@example.com", "signed"),
    }


@pytest.fixture(params=["stock", "cloud"])
def either(request: pytest.FixtureRequest) -> tuple[Emulator, bool]:
    """Each emulator, and whether it is ours."""
    return request.getfixturevalue(request.param), request.param == "cloud"


def test_keep_function_properties(either: tuple[Emulator, bool]) -> None:
    emulator, ours = either
    stack = any_name("stack")
    _deploy_stack(emulator, stack, _function_template(timeout=60))
    lambda_ = emulator.client("lambda")
    name = _output(emulator, stack)
    config = lambda_.get_function_configuration(FunctionName=name)
    expected = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3, "KMSKeyArn": KEY}
    assert config.get("DurableConfig") == (expected if ours else None)
    assert ("DeadLetterConfig" in config) is ours
    lambda_.publish_version(FunctionName=name)

    _deploy_stack(emulator, stack, _function_template(timeout=120))

    config = lambda_.get_function_configuration(FunctionName=name)
    assert config.get("DurableConfig", {}).get("ExecutionTimeout") == (120 if ours else None)
    versions = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", *(["1"] if ours else [])]


def test_keep_table_properties(either: tuple[Emulator, bool]) -> None:
    emulator, ours = either
    stack = any_name("stack")
    _deploy_stack(emulator, stack, _table_template())
    dynamodb = emulator.client("dynamodb")
    table = {"TableName": _output(emulator, stack)}
    ttl = dynamodb.describe_time_to_live(**table)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(**table)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    described = dynamodb.describe_table(**table)["Table"]
    assert (ttl["TimeToLiveStatus"] == "ENABLED") is ours
    assert (recovery == "ENABLED") is ours
    assert ("SSEDescription" in described) is ours


def test_send_to_dead_letter_queue(stock: Emulator) -> None:
    sqs = stock.client("sqs")
    url = sqs.create_queue(QueueName=any_name("queue"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    function = stock.deploy("plain.handler", DeadLetterConfig={"TargetArn": queue["QueueArn"]})
    function.lambda_.put_function_event_invoke_config(
        FunctionName=function.name, MaximumRetryAttempts=0
    )
    event = {"import": "nothing.of.this.name"}
    function.invoke(event, "Event", Qualifier="$LATEST")

    def receive() -> Any:
        return sqs.receive_message(QueueUrl=url).get("Messages")

    (message,) = eventually(receive, "message in the dead-letter queue")
    assert json.loads(message["Body"]) != event


def _listener(emulator: Emulator, topic: str) -> Deployed:
    plain = emulator.deploy("plain.handler")
    alias = plain.lambda_.get_alias(FunctionName=plain.name, Name="live")
    emulator.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=alias["AliasArn"])
    return plain


def _was_called(emulator: Emulator, function: Deployed) -> bool:
    logs = emulator.client("logs")
    try:
        streams = logs.filter_log_events(logGroupName=f"/aws/lambda/{function.name}")
    except ClientError:
        return False
    return any("END" in event["message"] for event in streams["events"])


def _deploy_stack(emulator: Emulator, name: str, template: dict[str, Any]) -> None:
    cloudformation = emulator.client("cloudformation")
    body = {"StackName": name, "TemplateBody": json.dumps(template)}
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError:
        cloudformation.create_stack(**body)
        wait = cloudformation.get_waiter("stack_create_complete")
    else:
        cloudformation.update_stack(**body)
        wait = cloudformation.get_waiter("stack_update_complete")
    wait.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


def _output(emulator: Emulator, stack: str) -> str:
    (found,) = emulator.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return str(found["Outputs"][0]["OutputValue"])


def _function_template(timeout: int) -> dict[str, Any]:
    properties = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": ROLE,
        "Code": {"ZipFile": "def handler(event, context): return event"},
        "DurableConfig": {
            "ExecutionTimeout": timeout,
            "RetentionPeriodInDays": 3,
            "KMSKeyArn": KEY,
        },
        "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}},
    }
    return {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
        },
        "Outputs": {"Name": {"Value": {"Ref": "Function"}}},
    }


def _table_template() -> dict[str, Any]:
    properties = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    return {
        "Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}},
        "Outputs": {"Name": {"Value": {"Ref": "Table"}}},
    }
