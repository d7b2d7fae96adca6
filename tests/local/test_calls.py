"""What a call asks of IAM, by the request that boto3 sends; no cloud runs here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from aws_durable_execution_sdk_python_testing.token import CallbackToken
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError
from ministack.core.responses import request_scope
from ministack.services import dynamodb, kms, ses_v2, sns, sqs, stepfunctions

from hitl_approval_cli.local import calls
from hitl_approval_cli.local.calls import Call, Demand, service_of, with_keys

ACCOUNT, REGION = "000000000000", "us-east-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pay"
EXECUTION = f"{FUNCTION}:3/durable-execution/one/1d4c"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/rows"
OTHER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/events"
BUSES = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:box"
QUEUE_URL = f"http://127.0.0.1:1/{ACCOUNT}/box"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
IDENTITY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity"
ROW = {"id": {"S": "1"}}

Sent = Callable[..., Call]


@pytest.fixture(autouse=True)
def _scope() -> Iterator[None]:
    with request_scope(ACCOUNT, REGION):
        yield


def sent(service: str, operation: str, **fields: Any) -> Call:
    """The request of an operation, as the emulator gets it."""
    make: Any = boto3.client
    client = make(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    found: list[Call] = []

    def take(request: Any, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        query = parse_qs(url.query, keep_blank_values=True)
        found.append(Call(request.method, unquote(url.path), headers, query, _bytes(body)))
        return AWSResponse(request.url, 400, HTTPHeaders(), _Nothing())

    client.meta.events.register("before-send", take)
    with pytest.raises(ClientError):
        getattr(client, operation)(**fields)
    return found[0]


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


class _Nothing:
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield b"{}"


def asked(call: Call) -> list[tuple[str, str]]:
    return [(each.action, each.resource) for each in call.demands(ACCOUNT, REGION)]


@pytest.mark.parametrize(
    ("operation", "action", "fields"),
    [
        (
            "checkpoint_durable_execution",
            "CheckpointDurableExecution",
            {"CheckpointToken": "t", "Updates": []},
        ),
        ("get_durable_execution_state", "GetDurableExecutionState", {"CheckpointToken": "t"}),
        ("get_durable_execution_history", "GetDurableExecutionHistory", {}),
        ("get_durable_execution", "GetDurableExecution", {}),
        ("stop_durable_execution", "StopDurableExecution", {}),
    ],
)
def test_should_ask_for_an_execution_by_its_own_arn(
    operation: str, action: str, fields: dict[str, Any]
) -> None:
    call = sent("lambda", operation, DurableExecutionArn=EXECUTION, **fields)
    assert asked(call) == [(f"lambda:{action}", EXECUTION)]


@pytest.mark.parametrize("outcome", ["success", "failure", "heartbeat"])
def test_should_ask_for_the_execution_that_made_a_callback(outcome: str) -> None:
    token = CallbackToken(EXECUTION, "operation").to_str()
    operation = f"send_durable_execution_callback_{outcome}"
    action = f"lambda:SendDurableExecutionCallback{outcome.title()}"
    assert asked(sent("lambda", operation, CallbackId=token)) == [(action, EXECUTION)]
    assert asked(sent("lambda", operation, CallbackId="nobody's")) == []


@pytest.mark.parametrize(
    ("fields", "resource"),
    [
        ({"FunctionName": "pay"}, FUNCTION),
        ({"FunctionName": "pay", "Qualifier": "live"}, f"{FUNCTION}:live"),
        ({"FunctionName": "pay:live"}, f"{FUNCTION}:live"),
        ({"FunctionName": f"{FUNCTION}:7"}, f"{FUNCTION}:7"),
    ],
)
def test_should_ask_to_invoke_what_is_named_with_its_qualifier(
    fields: dict[str, str], resource: str
) -> None:
    assert asked(sent("lambda", "invoke", **fields)) == [("lambda:InvokeFunction", resource)]


def test_should_ask_to_list_the_executions_of_a_function() -> None:
    call = sent("lambda", "list_durable_executions_by_function", FunctionName="pay")
    assert asked(call) == [("lambda:ListDurableExecutionsByFunction", FUNCTION)]


def test_should_ask_for_each_part_of_a_transaction_on_its_table() -> None:
    call = sent(
        "dynamodb",
        "transact_write_items",
        TransactItems=[
            {"Put": {"TableName": "rows", "Item": ROW}},
            {"Put": {"TableName": "events", "Item": ROW}},
            {"Update": {"TableName": "rows", "Key": ROW, "UpdateExpression": "SET a = b"}},
            {
                "ConditionCheck": {
                    "TableName": "rows",
                    "Key": ROW,
                    "ConditionExpression": "attribute_exists(id)",
                }
            },
        ],
    )
    assert asked(call) == [
        ("dynamodb:PutItem", TABLE),
        ("dynamodb:PutItem", OTHER),
        ("dynamodb:UpdateItem", TABLE),
        ("dynamodb:ConditionCheckItem", TABLE),
    ]


def test_should_ask_for_each_table_of_a_batch_and_for_an_index() -> None:
    puts = [{"PutRequest": {"Item": ROW}}]
    batch = sent("dynamodb", "batch_write_item", RequestItems={"rows": puts, "events": puts})
    assert asked(batch) == [
        ("dynamodb:BatchWriteItem", TABLE),
        ("dynamodb:BatchWriteItem", OTHER),
    ]
    query = sent(
        "dynamodb",
        "query",
        TableName="rows",
        IndexName="StatusIndex",
        KeyConditionExpression="#s = :s",
    )
    assert asked(query) == [("dynamodb:Query", f"{TABLE}/index/StatusIndex")]


def test_should_ask_for_each_bus_that_events_go_to() -> None:
    entries = [{"EventBusName": bus} if bus else {} for bus in ("", "audit", f"{BUSES}/audit")]
    call = sent("events", "put_events", Entries=entries)
    assert asked(call) == [
        ("events:PutEvents", f"{BUSES}/default"),
        ("events:PutEvents", f"{BUSES}/audit"),
    ]


def test_should_ask_for_the_identity_that_a_mail_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = {"FromEmailAddress": "Approvals <ask@example.com>", "ConfigurationSetName": "set"}
    raw = sent("sesv2", "send_email", Content={"Raw": {"Data": b"x"}}, **mail)
    found = raw.demands(ACCOUNT, REGION)
    places = [f"{IDENTITY}/example.com", f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/set"]
    context = {"ses:FromAddress": "ask@example.com"}
    assert found == [Demand("ses:SendRawEmail", place, context) for place in places]
    monkeypatch.setattr(ses_v2, "_identities", {"ask@example.com": {"verified": True}})
    text = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
    simple = sent("sesv2", "send_email", Content={"Simple": text}, **mail)
    assert asked(simple)[0] == ("ses:SendEmail", f"{IDENTITY}/ask@example.com")


def test_should_say_which_prefix_of_a_bucket_is_listed() -> None:
    listed = sent("s3", "list_objects_v2", Bucket="archive", Prefix="rows/")
    [demand] = listed.demands(ACCOUNT, REGION)
    assert demand[:2] == ("s3:ListBucket", "arn:aws:s3:::archive")
    assert demand.context["s3:prefix"] == "rows/"
    put = sent("s3", "put_object", Bucket="archive", Key="rows/1", Body=b"x")
    assert asked(put) == [("s3:PutObject", "arn:aws:s3:::archive/rows/1")]


def test_should_ask_for_the_state_machine_whose_task_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:refunds"
    seen = []

    def answer(*_: Any) -> None:
        answered = sent("stepfunctions", "send_task_success", taskToken="token", output="{}")
        seen.append(asked(answered))

    for name in ("_execute_task", "_invoke_with_callback"):
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_invoke_with_callback", answer)

    def execute(state: Any, given: Any, execution: Any, context: Any) -> None:
        stepfunctions._invoke_with_callback("any", given, "token", state)

    monkeypatch.setattr(stepfunctions, "_execute_task", execute)
    calls.know_whose_a_task_is()
    stepfunctions._execute_task({}, {}, {"stateMachineArn": machine}, {})
    answer()
    assert seen == [[("states:SendTaskSuccess", machine)], []]


@pytest.fixture
def encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table, a topic and a queue with a customer's key."""
    keys = {KEY: {"Arn": KEY, "KeyManager": "CUSTOMER"}, "alias/aws/sns": {"KeyManager": "AWS"}}
    monkeypatch.setattr(kms, "_resolve_key", keys.get)
    table = {"SSEDescription": {"SSEType": "KMS", "KMSMasterKeyArn": KEY}}
    monkeypatch.setattr(dynamodb, "_tables", {"rows": table, "events": {}})
    attributes = {"attributes": {"KmsMasterKeyId": KEY}}
    topics = {TOPIC: attributes, "managed": {"attributes": {"KmsMasterKeyId": "alias/aws/sns"}}}
    monkeypatch.setattr(sns, "_topic_by_arn_any_scope", topics.get)
    monkeypatch.setattr(sqs, "_queue_by_arn", {QUEUE: attributes}.get)


@pytest.mark.parametrize(
    ("action", "resource", "of_the_key"),
    [
        ("dynamodb:GetItem", TABLE, ["kms:Decrypt"]),
        ("dynamodb:Query", f"{TABLE}/index/StatusIndex", ["kms:Decrypt"]),
        ("dynamodb:UpdateItem", TABLE, []),
        ("dynamodb:GetItem", OTHER, []),
        ("sns:Publish", TOPIC, ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("sns:Publish", "managed", []),
        ("sqs:SendMessage", QUEUE, ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("sqs:DeleteMessage", QUEUE, []),
    ],
)
def test_should_ask_for_the_key_that_a_service_uses_for_its_caller(
    encrypted: None, action: str, resource: str, of_the_key: list[str]
) -> None:
    demand = Demand(action, resource)
    first, *more = with_keys(demand, REGION)
    assert first == demand
    assert [(each.action, each.resource) for each in more] == [(each, KEY) for each in of_the_key]
    service = action.partition(":")[0]
    assert all(
        each.context == {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"} for each in more
    )


def test_should_ask_for_a_key_that_is_called_itself(encrypted: None) -> None:
    call = sent("kms", "sign", KeyId=KEY, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    assert asked(call) == [("kms:Sign", KEY)]


def test_should_ask_for_a_queue_by_its_url() -> None:
    call = sent("sqs", "send_message", QueueUrl=QUEUE_URL, MessageBody=json.dumps({}))
    assert asked(call) == [("sqs:SendMessage", QUEUE)]


def test_should_read_the_service_of_an_arn() -> None:
    assert [service_of(text) for text in (TABLE, KEY, "no arn", "")] == ["dynamodb", "kms", "", ""]
