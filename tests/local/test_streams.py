"""The streams of the local cloud's tables reach functions as AWS brings them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.harness import Emulator, any_name, eventually


@dataclass(frozen=True)
class Stream:
    """A table with a stream."""

    emulator: Emulator
    table: str
    arn: str

    @classmethod
    def of(cls, emulator: Emulator) -> Stream:
        table, dynamodb = any_name("stream"), emulator.client("dynamodb")
        made = _create(
            dynamodb,
            table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        try:
            _create(dynamodb, "brought")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceInUseException"  # noqa: PT017
        return cls(emulator, table, made["LatestStreamArn"])

    def put(self, *ids: str) -> None:
        """Write these together: one batch can hold them."""
        puts = [{"Put": {"TableName": self.table, "Item": {"id": {"S": name}}}} for name in ids]
        self.emulator.client("dynamodb").transact_write_items(TransactItems=puts)

    def listener(self, **mapping: Any) -> Listener:
        """A function that reads the stream from its beginning."""
        function = self.emulator.deploy("streams.handler").name
        made = self.emulator.client("lambda").create_event_source_mapping(
            EventSourceArn=self.arn,
            FunctionName=function,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **mapping,
        )
        return Listener(self.emulator, function, made["UUID"])


@dataclass(frozen=True)
class Listener:
    """A function that reads a stream."""

    emulator: Emulator
    function: str
    mapping: str

    def brought(self) -> list[str]:
        """The ids of each batch, in the order in which they came."""
        item = self.emulator.client("dynamodb").get_item(
            TableName="brought", Key={"id": {"S": self.function}}
        )
        batches = item.get("Item", {}).get("brought", {"L": []})["L"]
        return [batch["S"] for batch in batches]

    def wait_for(self, batch: str) -> list[str]:
        """The batches so far, once this one is among them."""
        return eventually(lambda: batch in (all_ := self.brought()) and all_, batch) or []


def _create(dynamodb: Any, table: str, **more: Any) -> dict[str, Any]:
    made = dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    return dict(made["TableDescription"])


@pytest.fixture
def stream(cloud: Emulator) -> Stream:
    return Stream.of(cloud)


def test_read_streams_for_each_mapping_by_itself(stock: Emulator, cloud: Emulator) -> None:
    """Upstream loses what a function reports as failed."""

    def is_brought_again(emulator: Emulator) -> bool:
        stream = Stream.of(emulator)
        stream.put("a", "later-2", "b")
        listener = stream.listener()
        eventually(listener.brought, "first batch")
        stream.put("c")
        eventually(lambda: any("c" in batch for batch in listener.brought()), "next record")
        return any(batch.startswith("later-2") for batch in listener.brought())

    assert not is_brought_again(stock)
    assert is_brought_again(cloud)


def test_should_go_on_behind_what_was_taken(stream: Stream) -> None:
    stream.put("a", "later-2", "b")
    listener = stream.listener()
    listener.wait_for("later-2,b")
    stream.put("c")
    brought = listener.wait_for("c")
    assert brought == ["a,later-2,b", "later-2,b", "later-2,b", "c"]


def test_should_not_let_one_mapping_wait_for_another(stream: Stream) -> None:
    slow = stream.listener()
    only_quick = {"dynamodb": {"Keys": {"id": {"S": ["quick"]}}}}
    quick = stream.listener(FilterCriteria={"Filters": [{"Pattern": json.dumps(only_quick)}]})
    stream.put("slow")
    slow.wait_for("slow")
    stream.put("quick")
    quick.wait_for("quick")
    assert "quick" not in slow.brought()
    slow.wait_for("quick")


@dataclass(frozen=True)
class Failures:
    """A queue for what is given up."""

    sqs: Any
    url: str

    @classmethod
    def of(cls, emulator: Emulator) -> Failures:
        sqs = emulator.client("sqs")
        return cls(sqs, sqs.create_queue(QueueName=any_name("queue"))["QueueUrl"])

    @property
    def destination(self) -> dict[str, Any]:
        asked = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        return {"OnFailure": {"Destination": asked["Attributes"]["QueueArn"]}}

    def next(self) -> tuple[str, int]:
        """Why a batch was given up, and how many records it had; waits for it."""

        def receive() -> Any:
            return self.sqs.receive_message(QueueUrl=self.url).get("Messages")

        (message,) = eventually(receive, "batch that is given up")
        body = json.loads(message["Body"])
        return body["requestContext"]["condition"], body["DDBStreamBatchInfo"]["batchSize"]


def test_should_split_a_batch_until_the_poison_is_alone_and_give_it_up(
    cloud: Emulator, stream: Stream
) -> None:
    failures = Failures.of(cloud)
    stream.put("x1", "poison", "x3", "x4")
    listener = stream.listener(
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig=failures.destination,
    )
    brought = listener.wait_for("x3,x4")
    assert brought == ["x1,poison,x3,x4", "x1,poison", "x1", "poison", "poison", "x3,x4"]
    assert failures.next() == ("RetryAttemptsExhausted", 1)


def test_should_try_for_ever_what_has_no_limit(stream: Stream) -> None:
    stream.put("poison")
    listener = stream.listener(BatchSize=1)
    stream.put("behind")
    eventually(lambda: len(listener.brought()) > 2, "third try")
    assert set(listener.brought()) == {"poison"}


def test_should_give_up_what_is_too_old(cloud: Emulator, stream: Stream) -> None:
    failures = Failures.of(cloud)
    listener = stream.listener(
        MaximumRecordAgeInSeconds=10, BatchSize=1, DestinationConfig=failures.destination
    )
    stream.put("poison")
    condition, _ = failures.next()
    stream.put("behind")
    *tried, last = listener.wait_for("behind")
    assert condition == "RecordAgeExceeded"
    assert set(tried) == {"poison"}
    assert last == "behind"


def test_should_stop_when_its_mapping_is_deleted(cloud: Emulator, stream: Stream) -> None:
    listener = stream.listener()
    stream.put("a")
    listener.wait_for("a")
    cloud.client("lambda").delete_event_source_mapping(UUID=listener.mapping)
    other = stream.listener()
    stream.put("b")
    eventually(lambda: any("b" in batch for batch in other.brought()), "record for the other")
    assert listener.brought() == ["a"]
