"""What ministack 1.5.33 does otherwise than AWS, one function per gap.

Each says what upstream does and what AWS does, and is applied once by the server. Each has a test
in `tests/local/test_gaps.py` that fails as soon as upstream no longer needs it: then it goes.
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from ministack.core.responses import request_scope
from ministack.services import lambda_svc, sns, sqs

from hitl_approval_cli.local import functions, streams
from hitl_approval_cli.local.alarms import make_alarms_on_sums
from hitl_approval_cli.local.calls import know_whose_a_task_is
from hitl_approval_cli.local.durable_api import DurableApi
from hitl_approval_cli.local.engine import DurableEngine, function_error, outcome
from hitl_approval_cli.local.functions import Function, Record
from hitl_approval_cli.local.mail import Mail

logger = logging.getLogger(__name__)

Properties = dict[str, Any]


def route_durable_requests(api: DurableApi) -> None:
    """Let AWS's engine answer the durable API, and Invoke of durable functions.

    Upstream runs durable functions only if DurableConfig has a field `Enabled` that AWS does not
    know, ignores DurableExecutionName, never resumes Event invokes, times a callback without
    heartbeat out at once, counts no step retries, loses the state of `wait_for_condition`, and
    resumes on `$LATEST`. AWS does what its engine does.
    """
    stock = lambda_svc.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        answer = await api.answer(method, path, headers, body, query)
        return answer or await stock(method, path, headers, body, query)

    lambda_svc.handle_request = handle_request


def run_functions_for_events(engine: DurableEngine, longest_wait: float) -> None:
    """Start an execution when something else than Invoke calls a durable function.

    Upstream hands the event of a topic, a rule, a function URL or a mapping to the handler as it
    is, which the durable SDK refuses. In AWS it is the input of an execution, and a caller that
    wants an answer waits for its end. All invocations, durable or not, wait for one of
    `functions.MAX_RUNNING` slots; upstream starts a process for each.
    """

    def execute(record: Record, event: Any) -> dict[str, Any]:
        function = Function.from_config(record.get("config") or record)
        if function.durable is None:
            return functions.execute(record, event)
        arn = engine.begin(function, json.dumps(event))
        result, failed = outcome(engine.wait(arn, longest_wait))
        if failed:
            return {"error": True, "body": function_error(failed)}
        return {"body": None if result is None else json.loads(result)}

    stock_asynchronous = lambda_svc.invoke_async_with_retry

    def invoke_asynchronously(record: Record, event: Any) -> None:
        function = Function.from_config(record.get("config") or record)
        if function.durable is None:
            stock_asynchronous(record, event)
        else:
            engine.begin(function, json.dumps(event), asynchronous=True)

    lambda_svc._execute_function = execute
    lambda_svc.invoke_async_with_retry = invoke_asynchronously


def read_streams_for_each_mapping_by_itself() -> None:
    """Bring the records of a DynamoDB stream to Lambda as `streams` does.

    Upstream runs all mappings in one loop, so that a slow function delays every other one; takes
    what a function reports as failed for taken, and it is lost; and neither splits a batch nor ends
    its tries. In AWS mappings know nothing of each other, and nothing is lost.
    """
    mappings = streams.Mappings()
    stock = lambda_svc._ensure_poller

    def ensure_poller() -> None:
        stock()
        mappings.poll()

    lambda_svc._ensure_poller = ensure_poller
    lambda_svc._poll_dynamodb_streams = mappings.poll


def note_messages_to_people(mail: Mail) -> None:
    """Note what SNS sends to e-mail addresses, telephones and queues.

    Upstream writes a line without the message in its log for the first two, and what is in a queue
    is gone when somebody receives it. In AWS people get it.
    """
    stock = sns._fanout

    def fanout(  # noqa: PLR0917  upstream's signature
        topic_arn: str,
        message_id: str,
        message: str,
        subject: str,
        structure: str = "",
        attributes: dict[str, Any] | None = None,
        *rest: Any,
        **named: Any,
    ) -> None:
        stock(topic_arn, message_id, message, subject, structure, attributes, *rest, **named)
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
        for subscription in topic["subscriptions"]:
            protocol = subscription.get("protocol", "")
            body = sns._resolve_message_for_protocol(message, structure, protocol)
            if (
                protocol in _TO_PEOPLE
                and subscription.get("confirmed")
                and sns._matches_filter_policy(subscription, attributes or {}, body)
            ):
                to = [subscription["endpoint"].rpartition(":")[2]]
                mail.add(_TO_PEOPLE[protocol], to, subject or "", body, datetime.now(UTC))

    sns._fanout = fanout


_TO_PEOPLE = {"email": "email", "email-json": "email", "sms": "sms", "sqs": "sqs"}


def close_gaps_of_cloudformation() -> None:
    """Apply these four; apart, because importing CloudFormation takes more than a second."""
    keep_function_properties()
    keep_table_properties()
    make_alarms_on_sums()
    know_whose_a_task_is()


def keep_function_properties() -> None:
    """Create and update functions by CloudFormation with their DurableConfig and dead-letter queue.

    Upstream's CloudFormation drops both properties, and makes a function anew, without its
    versions, when DurableConfig changes. AWS keeps the versions.
    """
    from ministack.services.cloudformation import provisioners

    stock_create, stock_update = provisioners._lambda_create, provisioners._lambda_update

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        name, attributes = stock_create(logical_id, properties, stack)
        _set_function_properties(name, properties)
        return name, attributes

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> Any:
        if "DurableConfig" in old and "DurableConfig" in new:
            old = {**old, "DurableConfig": new["DurableConfig"]}
        name, attributes = stock_update(physical_id, old, new, stack, logical_id)
        _set_function_properties(name, new)
        return name, attributes

    provisioners._lambda_create, provisioners._lambda_update = create, update
    provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"] |= {"create": create, "update": update}


def _set_function_properties(name: str, properties: Properties) -> None:
    config = lambda_svc._functions[name]["config"]
    config.pop("DeadLetterConfig", None)
    if properties.get("DeadLetterConfig"):
        config["DeadLetterConfig"] = properties["DeadLetterConfig"]
    if properties.get("DurableConfig"):
        durable = properties["DurableConfig"]
        config["DurableConfig"] = {
            field: value if field == "KMSKeyArn" else int(value) for field, value in durable.items()
        }


def keep_table_properties() -> None:
    """Create and update tables by CloudFormation with TTL, point-in-time recovery and encryption.

    Upstream's CloudFormation drops the three properties, so that the describe calls deny them.
    """
    from ministack.services.cloudformation import provisioners

    stock_create, stock_update = provisioners._ddb_create, provisioners._ddb_update

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        name, attributes = stock_create(logical_id, properties, stack)
        _set_table_properties(name, properties)
        return name, attributes

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> Any:
        name, attributes = stock_update(physical_id, old, new, stack, logical_id)
        _set_table_properties(name, new)
        return name, attributes

    provisioners._ddb_create, provisioners._ddb_update = create, update
    provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"] |= {"create": create, "update": update}


def _set_table_properties(name: str, properties: Properties) -> None:
    from ministack.services import dynamodb

    table = {"TableName": name}
    expiry = properties.get("TimeToLiveSpecification")
    if expiry:
        dynamodb._update_ttl({**table, "TimeToLiveSpecification": expiry})
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery:
        dynamodb._update_continuous_backups({**table, "PointInTimeRecoverySpecification": recovery})
    encryption = properties.get("SSESpecification")
    if encryption:
        encryption = {"Enabled" if key == "SSEEnabled" else key: v for key, v in encryption.items()}
        dynamodb._tables[name]["SSEDescription"] = dynamodb._sse_description_from_spec(encryption)


def send_to_dead_letter_queue(function: Function, payload: str, error: ErrorObject | None) -> None:
    """Put the event of a failed asynchronous execution into the function's dead-letter queue.

    The engine has no such queue, and upstream's message for plain functions wraps the event. AWS
    sends the event as it was, with the error in the message's attributes.
    """
    target = str(function.dead_letter_arn)
    *_, service, region, account, name = target.split(":")
    url = sqs._queue_name_to_url.get_scoped(account, region, name) if service == "sqs" else None
    if url is None:
        logger.warning("%s: no dead-letter queue %s", function.arn, target)
        return
    about = {
        "RequestID": str(uuid.uuid4()),
        "ErrorCode": "200",
        "ErrorMessage": (error and error.message) or "The execution failed.",
    }
    with request_scope(account, region):
        sqs._act_send_message(
            {
                "QueueUrl": url,
                "MessageBody": payload,
                "MessageAttributes": {
                    key: {"DataType": "String", "StringValue": value}
                    for key, value in about.items()
                },
            },
            url,
        )
