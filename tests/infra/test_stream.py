"""The audit table's stream feeds as many functions as AWS lets one be read by, and no more."""

from __future__ import annotations

from tests.infra.synth import Resources, of_type, text

STREAM = "<ApprovalAuditTable.StreamArn>"
READERS_OF_A_STREAM = 2
"""Lambda functions that may read one shard at once (DynamoDB developer guide, Streams)."""


def test_should_bring_the_publisher_what_was_altered_and_the_messenger_new_events_only(
    default: Resources,
) -> None:
    mappings = of_type(default, "AWS::Lambda::EventSourceMapping").values()
    wanted = {
        text(mapping["FunctionName"]): [
            f["Pattern"] for f in mapping.get("FilterCriteria", {}).get("Filters", [])
        ]
        for mapping in mappings
    }
    assert wanted == {
        "<ApprovalPublisherFunction>": [],
        "<ApprovalMessengerFunction>": ['{"eventName":["INSERT"]}'],
    }


def test_should_feed_publisher_and_messenger_in_order_and_without_what_others_wrote(
    default: Resources,
) -> None:
    mappings = list(of_type(default, "AWS::Lambda::EventSourceMapping").values())
    assert len(mappings) <= READERS_OF_A_STREAM
    assert {text(mapping["FunctionName"]) for mapping in mappings} == {
        "<ApprovalPublisherFunction>",
        "<ApprovalMessengerFunction>",
    }
    for mapping in mappings:
        assert text(mapping["EventSourceArn"]) == STREAM
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert text(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == (
            "<ApprovalDeadLetterQueue.Arn>"
        )
