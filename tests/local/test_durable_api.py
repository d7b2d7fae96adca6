"""Durable executions in the local cloud behave as AWS says they do."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval_cli.local.workers import MAX_WARM
from tests.local.harness import Deployed, Emulator, any_name, eventually, needs_proc


def counted(cloud: Emulator, counter: str) -> dict[str, int]:
    item = cloud.client("dynamodb").get_item(TableName="counters", Key={"id": {"S": counter}})
    found = item.get("Item", {})
    return {name: int(value["N"]) for name, value in found.items() if name != "id"}


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer: Any = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_should_suspend_and_resume_with_the_answer(cloud: Emulator, durable: Deployed) -> None:
    counter = any_name("counter")
    arn = durable.start({"do": "ask", "counter": counter})
    callback_id = durable.callback_id(arn)
    assert durable.get(arn)["Status"] == "RUNNING"
    durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"yes")
    assert durable.result(arn) == {"answer": "yes", "version": "one", "before": 1}
    assert counted(cloud, counter) == {"before": 1}
    assert durable.event_types(arn) == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "CallbackStarted",
        "InvocationCompleted",
        "CallbackSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_should_fail_when_the_answer_is_a_failure(durable: Deployed) -> None:
    arn = durable.start({"do": "ask"})
    durable.lambda_.send_durable_execution_callback_failure(
        CallbackId=durable.callback_id(arn),
        Error={"ErrorType": "Refused", "ErrorMessage": "not today"},
    )
    execution = durable.ended(arn)
    assert execution["Status"] == "FAILED"
    assert "not today" in execution["Error"]["ErrorMessage"]


def test_should_not_time_out_a_callback_that_has_no_timeout(durable: Deployed) -> None:
    arn = durable.start({"do": "ask"})
    durable.callback_id(arn)
    nap = durable.start({"do": "wait", "seconds": 1})
    durable.result(nap)
    assert durable.get(arn)["Status"] == "RUNNING"
    assert "CallbackTimedOut" not in durable.event_types(arn)


def test_should_time_a_callback_out(durable: Deployed) -> None:
    arn = durable.start({"do": "ask", "timeout": 1})
    callback_id = durable.callback_id(arn)
    assert durable.ended(arn)["Status"] == "FAILED"
    assert "CallbackTimedOut" in durable.event_types(arn)
    with pytest.raises(ClientError) as error:
        durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    assert code(error) == ("CallbackTimeoutException", 400)


def test_should_keep_a_callback_open_as_long_as_heartbeats_come(durable: Deployed) -> None:
    arn = durable.start({"do": "ask", "heartbeat": 1})
    callback_id = durable.callback_id(arn)
    nap = durable.start({"do": "wait", "seconds": 2})

    def nap_is_over() -> bool:
        durable.lambda_.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        return bool(durable.get(nap)["Status"] != "RUNNING")

    eventually(nap_is_over, "end of the nap")
    assert durable.get(arn)["Status"] == "RUNNING"
    assert durable.ended(arn)["Status"] == "FAILED"  # the heartbeats have stopped


@pytest.mark.parametrize("answer", ["success", "failure", "heartbeat"])
def test_should_say_that_a_callback_is_closed(durable: Deployed, answer: str) -> None:
    arn = durable.start({"do": "ask"})
    callback_id = durable.callback_id(arn)
    durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    send = getattr(durable.lambda_, f"send_durable_execution_callback_{answer}")
    with pytest.raises(ClientError) as error:
        send(CallbackId=callback_id)
    assert code(error) == ("CallbackTimeoutException", 400)


@pytest.mark.parametrize("callback_id", ["bm9uc2Vuc2U=", "e30=", "MTI=", "W10="])
def test_should_say_that_a_callback_is_unknown(durable: Deployed, callback_id: str) -> None:
    with pytest.raises(ClientError) as error:
        durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    assert code(error) == ("ResourceNotFoundException", 404)


def test_should_wait_without_running(durable: Deployed) -> None:
    arn = durable.start({"do": "wait", "seconds": 1})
    assert durable.result(arn) == {"waited": True}
    assert durable.event_types(arn).count("InvocationCompleted") == 2


def test_should_count_step_retries(cloud: Emulator, durable: Deployed) -> None:
    counter = any_name("counter")
    arn = durable.start({"do": "retry", "counter": counter})
    assert durable.result(arn) == 3
    assert counted(cloud, counter) == {"attempts": 3}
    assert durable.event_types(arn).count("StepFailed") == 2


def test_should_keep_the_state_of_a_polled_condition(durable: Deployed) -> None:
    assert durable.result(durable.start({"do": "poll"})) == [0, 1, 2]


def test_should_stay_on_the_version_that_it_started_on(cloud: Emulator, counters: str) -> None:
    function = cloud.deploy()
    before = function.start({"do": "ask"})
    callback_id = function.callback_id(before)
    function.update("two")
    after = function.invoke({"do": "echo"})
    function.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    assert function.result(before)["version"] == "one"
    assert after["Payload"]["version"] == "two"
    assert f":{function.name}:1/durable-execution/" in before
    assert f":{function.name}:2/durable-execution/" in after["DurableExecutionArn"]
    assert (function.get(before)["Version"], after["ExecutedVersion"]) == ("1", "2")


def test_should_start_one_execution_for_a_name(durable: Deployed) -> None:
    name = any_name("execution")
    first = durable.start({"do": "echo"}, DurableExecutionName=name)
    again = durable.start({"do": "echo"}, DurableExecutionName=name)
    assert again == first
    assert durable.get(first)["DurableExecutionName"] == name
    assert f"/durable-execution/{name}/" in first
    with pytest.raises(ClientError) as error:
        durable.start({"do": "echo", "say": "other"}, DurableExecutionName=name)
    assert code(error) == ("DurableExecutionAlreadyStartedException", 409)


@pytest.mark.parametrize("name", ["no/slash", "n" * 65])
def test_should_refuse_an_execution_name_that_aws_refuses(durable: Deployed, name: str) -> None:
    with pytest.raises(ClientError) as error:
        durable.start({"do": "echo"}, DurableExecutionName=name)
    assert code(error) == ("ValidationException", 400)


def test_should_log_all_lines_of_an_invocation(cloud: Emulator) -> None:
    plain = cloud.deploy("plain.handler")
    answers = [plain.invoke({"say": f"line {number}"}, LogType="Tail") for number in range(3)]
    logged = [base64.b64decode(answer["LogResult"]).decode() for answer in answers]
    assert [text.strip() for text in logged] == ["line 0", "line 1", "line 2"]


def test_should_answer_a_synchronous_invoke_with_the_result(durable: Deployed) -> None:
    answer = durable.invoke({"do": "echo", "say": "hello"})
    assert answer["Payload"] == {"echo": "hello", "version": "one"}
    assert durable.get(answer["DurableExecutionArn"])["Status"] == "SUCCEEDED"


def test_should_answer_a_synchronous_invoke_with_the_error(durable: Deployed) -> None:
    answer = durable.invoke({"do": "fail"})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorMessage"] == "it went wrong"


def test_should_refuse_to_wait_longer_than_15_minutes(cloud: Emulator) -> None:
    function = cloud.deploy(DurableConfig={"ExecutionTimeout": 901})
    with pytest.raises(ClientError) as error:
        function.invoke({"do": "echo"})
    assert code(error) == ("InvalidParameterValueException", 400)
    assert function.result(function.start({"do": "echo"}))["version"] == "one"


def test_should_refuse_an_invoke_without_a_version(durable: Deployed) -> None:
    with pytest.raises(ClientError) as error:
        durable.lambda_.invoke(FunctionName=durable.name, Payload=b"{}")
    assert code(error) == ("InvalidParameterValueException", 400)


def test_should_refuse_a_payload_that_is_no_json(durable: Deployed) -> None:
    with pytest.raises(ClientError) as error:
        durable.lambda_.invoke(FunctionName=f"{durable.name}:live", Payload=b"{")
    assert code(error) == ("InvalidRequestContentException", 400)


def test_should_end_an_execution_that_takes_too_long(cloud: Emulator) -> None:
    function = cloud.deploy(DurableConfig={"ExecutionTimeout": 1})
    arn = function.start({"do": "ask"})
    assert function.ended(arn)["Status"] == "TIMED_OUT"


def test_should_stop_an_execution(durable: Deployed) -> None:
    arn = durable.start({"do": "ask"})
    callback_id = durable.callback_id(arn)
    durable.lambda_.stop_durable_execution(
        DurableExecutionArn=arn, Error={"ErrorType": "Operator", "ErrorMessage": "no longer needed"}
    )
    execution = durable.ended(arn)
    assert execution["Status"] == "STOPPED"
    assert execution["Error"]["ErrorMessage"] == "no longer needed"
    with pytest.raises(ClientError) as error:
        durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    assert code(error) == ("CallbackTimeoutException", 400)


def test_should_not_know_what_never_was(durable: Deployed) -> None:
    arn = (
        f"arn:aws:lambda:us-east-1:000000000000:function:{durable.name}:1"
        "/durable-execution/never/was"
    )
    with pytest.raises(ClientError) as error:
        durable.get(arn)
    assert code(error) == ("ResourceNotFoundException", 404)
    with pytest.raises(ClientError) as error:
        durable.lambda_.stop_durable_execution(DurableExecutionArn=arn)
    assert code(error) == ("ResourceNotFoundException", 404)


def test_should_list_executions_newest_first_and_filtered(cloud: Emulator, counters: str) -> None:
    function = cloud.deploy()
    good = function.invoke({"do": "echo"})["DurableExecutionArn"]
    bad = function.invoke({"do": "fail"})["DurableExecutionArn"]
    waiting = function.start({"do": "ask"})

    def listed(**filters: Any) -> list[str]:
        answer = function.lambda_.list_durable_executions_by_function(
            FunctionName=function.name, **filters
        )
        return [execution["DurableExecutionArn"] for execution in answer["DurableExecutions"]]

    assert listed() == [waiting, bad, good]
    assert listed(ReverseOrder=True) == [good, bad, waiting]
    assert listed(Statuses=["FAILED", "RUNNING"]) == [waiting, bad]
    assert listed(StartedAfter=function.get(waiting)["StartTimestamp"]) == [waiting]
    assert listed(StartedBefore=function.get(good)["StartTimestamp"]) == [good]
    assert listed(Qualifier="live", MaxItems=1) == [waiting]
    assert listed(Qualifier="$LATEST") == []
    assert listed(DurableExecutionName=function.get(bad)["DurableExecutionName"]) == [bad]
    pages = function.lambda_.get_paginator("list_durable_executions_by_function").paginate(
        FunctionName=function.name, PaginationConfig={"PageSize": 2}
    )
    assert sum(len(page["DurableExecutions"]) for page in pages) == 3


def test_should_leave_execution_data_out_when_asked(durable: Deployed) -> None:
    arn = durable.invoke({"do": "echo"})["DurableExecutionArn"]
    short = durable.lambda_.get_durable_execution(
        DurableExecutionArn=arn, IncludeExecutionData=False
    )
    assert short["ExecutionDataIncluded"] is False
    assert not {"InputPayload", "Result", "Error"} & short.keys()
    assert durable.get(arn)["InputPayload"] == '{"do": "echo"}'


def test_should_invoke_other_functions_from_a_workflow(cloud: Emulator, durable: Deployed) -> None:
    plain = cloud.deploy("plain.handler")
    call = {"do": "call", "function": f"{plain.name}:live", "payload": {"number": 1}}
    assert durable.result(durable.start(call))["got"] == {"number": 1}
    child = {
        "do": "call",
        "function": f"{durable.name}:live",
        "payload": {"do": "echo", "say": "child"},
    }
    assert durable.result(durable.start(child))["echo"] == "child"


def test_should_put_the_event_of_a_failed_asynchronous_execution_into_the_dead_letter_queue(
    cloud: Emulator,
) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=any_name("queue"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    function = cloud.deploy(DeadLetterConfig={"TargetArn": queue["QueueArn"]})
    function.ended(function.start({"do": "fail"}))

    def receive() -> Any:
        return sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    (message,) = eventually(receive, "message in the dead-letter queue")
    assert message["Body"] == '{"do": "fail"}'
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "it went wrong"


@needs_proc
def test_should_carry_hundreds_of_suspended_executions(cloud: Emulator, durable: Deployed) -> None:
    arns = [durable.start({"do": "ask"}) for _ in range(50)]
    ids = [durable.callback_id(arn) for arn in arns]
    for callback_id in ids:
        durable.lambda_.send_durable_execution_callback_success(CallbackId=callback_id)
    assert {durable.ended(arn)["Status"] for arn in arns} == {"SUCCEEDED"}
    assert len(cloud.children()) <= MAX_WARM
