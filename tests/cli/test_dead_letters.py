"""`hitl repair --dead-letters`: what failed every attempt is done again, and only then deleted."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import read_item
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.testing import FixedClock
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.outcome import START_SECONDS
from tests.anything import NOW, any_opening, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud, Queue

EVENT = {"subject": "Refund 70", "requester": "rita"}


@pytest.fixture
def dead(cloud: FakeCloud) -> Queue:
    cloud.have_functions("Workflow", "Publisher")
    return cloud.queues["https://sqs.example/dead"]


def batch(function: str = "publisher", at: str = isoformat(NOW)) -> str:
    """As Lambda notes where a batch of a stream is that was never taken."""
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    return json.dumps(
        {
            "requestContext": {"functionArn": arn, "condition": "RecordAgeExceeded"},
            "DDBStreamBatchInfo": {
                "shardId": "shardId-1",
                "batchSize": 1,
                "approximateArrivalOfFirstRecord": at,
                "approximateArrivalOfLastRecord": at,
            },
        }
    )


def test_should_start_again_what_failed_and_delete_it(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    dead.add(json.dumps(EVENT), ErrorMessage="throttled")
    result = hitl("repair", "--dead-letters", "--yes", "--json")
    assert result.status == 0
    [row] = result.json["dead_letters"]
    assert (row["kind"], row["done"]) == ("start", True)
    assert row["what"] == "the start of 'Refund 70', failed: throttled"
    assert cloud.started == [EVENT]
    assert dead.messages == {}


def test_should_show_a_refusal_whole(hitl: Hitl, dead: Queue) -> None:
    why = f"stages: names 'zoe', whom this deployment does not: name one of {'ann, ' * 40}bob"
    dead.add(json.dumps(EVENT), ErrorMessage=why)
    assert why in hitl("repair", "--dead-letters", "--dry-run").out


def test_should_not_start_twice_what_could_not_be_deleted(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    message = dead.add(json.dumps(EVENT))
    assert hitl("repair", "--dead-letters", "--yes").status == 0
    dead.messages[message] = json.dumps(EVENT)  # it comes again: its deletion was lost
    assert hitl("repair", "--dead-letters", "--yes").status == 0
    assert len(cloud.started) == 1


def test_should_show_and_change_nothing_in_a_dry_run(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    dead.add(json.dumps(EVENT))
    result = hitl("repair", "--dead-letters", "--dry-run")
    assert (result.status, result.out) == (0, "m1  start    the start of 'Refund 70'\n")
    assert cloud.started == []
    assert dead.messages
    assert dead.hidden == set(), "nobody else would see it"


def test_should_ask_first(hitl: Hitl, dead: Queue, cloud: FakeCloud) -> None:
    dead.add(json.dumps(EVENT))
    result = hitl("repair", "--dead-letters", stdin="n\n", terminal=True)
    assert "Do 1 message again?" in result.out
    assert cloud.started == []
    assert dead.hidden == set()
    assert hitl("repair", "--dead-letters").status == 2


def test_should_keep_a_start_that_cannot_work_and_say_why(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    more = {"aprovers": ["ann"], "approvers": ["zoe o'neill", 7], "timeout_seconds": 90}
    dead.add(json.dumps({**EVENT, **more, "context": {"amount": 7}}))
    dead.add(json.dumps(EVENT))
    result = hitl("repair", "--dead-letters", "--yes", "--json")
    assert result.status == 1
    wrong, right = result.json["dead_letters"]
    assert (wrong["done"], right["done"]) == (False, True)
    assert "aprovers" in wrong["said"]
    _, ask = wrong["said"].split(": correct it, and ask by ")
    assert shlex.split(ask) == [
        "hitl", "submit", "--subject", "Refund 70", "--requester", "rita",
        "--approver", "zoe o'neill", "--timeout", "90s",
    ]  # fmt: skip
    assert len(dead.messages) == 1
    assert dead.hidden == set()


@pytest.mark.parametrize("body", ["no JSON", "3", "[]", batch("of-another-deployment")])
def test_should_leave_alone_what_is_not_of_this_deployment(
    hitl: Hitl, dead: Queue, body: str
) -> None:
    dead.add(body)
    result = hitl("repair", "--dead-letters", "--yes", "--json")
    assert result.status == 1
    assert dead.messages
    assert [row["done"] for row in result.json["dead_letters"]] == [False]


def test_should_say_that_a_start_has_failed_again_and_why(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    """Lambda puts it into the queue again: what was taken up is not kept beside that."""
    cloud.asks = False
    cloud.execution = {
        "Status": "FAILED",
        "Error": {
            "ErrorType": f"{InvalidRequest.__module__}.{InvalidRequest.__name__}",
            "ErrorMessage": "stages: names 'zoe', whom this deployment does not",
        },
    }
    dead.add(json.dumps(EVENT))
    result = hitl("repair", "--dead-letters", "--yes", "--json")
    assert result.status == 1
    [row] = result.json["dead_letters"]
    assert row["done"] is False
    assert row["said"].startswith("failed again: stages: names 'zoe', whom this deployment does")
    assert dead.messages == {}
    assert "not done  the start of" in hitl_said(hitl, dead)


def hitl_said(hitl: Hitl, dead: Queue) -> str:
    dead.add(json.dumps(EVENT))
    return " ".join(hitl("repair", "--dead-letters", "--yes").out.split(" "))


def test_should_wait_for_all_starts_together_and_no_longer_than_for_one(
    hitl: Hitl, dead: Queue, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.asks = False
    time = FixedClock(NOW)
    monkeypatch.setattr(clock, "now", time.now)
    monkeypatch.setattr(clock, "pause", lambda seconds: time.advance(timedelta(seconds=seconds)))
    for number in range(3):
        dead.add(json.dumps({**EVENT, "subject": f"Refund {number}"}))
    result = hitl("repair", "--dead-letters", "--yes", "--json")
    assert result.status == 1
    assert ["no request" in row["said"] for row in result.json["dead_letters"]] == [True] * 3
    assert time.now() - NOW < timedelta(seconds=START_SECONDS + 3)


def test_should_discard_what_is_named_and_nothing_else(
    hitl: Hitl, dead: Queue, cloud: FakeCloud
) -> None:
    for subject in ("hopeless", "wanted"):
        dead.add(json.dumps({**EVENT, "subject": subject}))
    unnamed = hitl("repair", "--dead-letters", "--discard", "--yes")
    assert (unnamed.status, len(dead.messages)) == (2, 2)
    asked = hitl("repair", "--dead-letters", "--discard", "m1", stdin="n\n", terminal=True)
    assert "Discard 1 message for good?" in asked.out
    assert len(dead.messages) == 2
    result = hitl("repair", "--dead-letters", "--discard", "m1", "--yes", "--json")
    [row] = result.json["dead_letters"]
    assert (result.status, row["done"], row["said"]) == (0, True, "discarded")
    assert list(dead.messages) == ["m2"]
    assert dead.hidden == set()
    assert cloud.started == []


def test_should_bring_whole_trails_to_who_did_not_take_a_batch(
    hitl: Hitl, dead: Queue, cloud: FakeCloud, tables: DynamoDbStore
) -> None:
    asked = tables.create(any_opening(now=NOW)).approval_id
    cloud.decisions.decide(asked, declared("bob"), "approved")
    cloud.readers["publisher"] = {"batchItemFailures": []}
    dead.add(batch())
    [row] = hitl("repair", "--dead-letters", "--yes", "--json").json["dead_letters"]
    assert row["said"] == "brought 2 events of 1 approval to publisher, as whole trails"
    [brought] = cloud.brought
    records = [record["dynamodb"]["NewImage"] for record in brought["Records"]]
    assert [read_item(image) for image in records] == tables.history(asked)
    assert {record["eventName"] for record in brought["Records"]} == {"INSERT"}
    assert dead.messages == {}


def test_should_pass_by_the_trails_of_another_time(
    hitl: Hitl, dead: Queue, cloud: FakeCloud, tables: DynamoDbStore
) -> None:
    tables.create(any_opening(now=NOW))
    cloud.readers["publisher"] = {"batchItemFailures": []}
    dead.add(batch(at="2020-01-01T00:00:00Z"))
    [row] = hitl("repair", "--dead-letters", "--yes", "--json").json["dead_letters"]
    assert row["said"].startswith("brought 0 events of 0 approvals to publisher")


def test_should_keep_a_batch_that_is_not_taken_again(
    hitl: Hitl, dead: Queue, cloud: FakeCloud, tables: DynamoDbStore
) -> None:
    tables.create(any_opening(now=NOW))
    cloud.readers["publisher"] = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    dead.add(batch())
    assert hitl("repair", "--dead-letters", "--yes").status == 1
    assert dead.messages


def test_should_archive_again(hitl: Hitl, dead: Queue, cloud: FakeCloud) -> None:
    events = [{"approval_id": "a", "sequence": 1, "hash": "h", "at": "t"}]
    dead.add(json.dumps(events))
    assert hitl("repair", "--dead-letters", "--yes").status == 1  # the deployment has no archive
    cloud.variables["publisher"] = {"ARCHIVE": json.dumps({"queue_url": "https://sqs.example/a"})}
    cloud.queues["https://sqs.example/a"] = Queue()
    assert hitl("repair", "--dead-letters", "--yes").status == 0
    assert [json.loads(b) for b in cloud.queues["https://sqs.example/a"].messages.values()] == [
        events
    ]
    assert dead.messages == {}


def test_should_read_all_that_there_is(hitl: Hitl, dead: Queue) -> None:
    for number in range(23):
        dead.add(json.dumps({**EVENT, "subject": f"Refund {number}"}))
    result = hitl("repair", "--dead-letters", "--dry-run", "--json")
    assert len(result.json["dead_letters"]) == 23
    assert {row["done"] for row in result.json["dead_letters"]} == {None}


def test_should_say_that_the_queue_is_empty(hitl: Hitl, dead: Queue) -> None:
    result = hitl("repair", "--dead-letters", "--yes")
    assert (result.status, result.out) == (0, "the dead-letter queue is empty\n")


def test_should_do_only_what_is_named(hitl: Hitl, dead: Queue, cloud: FakeCloud) -> None:
    """An execution that somebody has stopped is in the queue too."""
    for subject in ("stopped on purpose", "failed"):
        dead.add(json.dumps({**EVENT, "subject": subject}))
    refused = hitl("repair", "--dead-letters", "--yes", "m")  # two begin like this
    assert refused.status == 2
    assert dead.hidden == set()
    assert hitl("repair", "--dead-letters", "--yes", "m2").status == 0
    assert [event["subject"] for event in cloud.started] == ["failed"]
    assert len(dead.messages) == 1
    assert dead.hidden == set()


@pytest.mark.parametrize(
    "words",
    [
        ["--dead-letters", "--all"],
        ["--all", "--dry-run"],
        ["f" * 32, "--yes"],
        ["--all", "--discard"],
        ["--all", "f" * 32],
    ],
)
def test_should_take_one_kind_at_once(hitl: Hitl, words: list[str]) -> None:
    assert hitl("repair", *words).status == 2


def test_should_give_back_what_it_was_reading_when_it_is_interrupted(
    hitl: Hitl, dead: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead.add(json.dumps(EVENT))

    def submit(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Deployment, "submit", submit)
    assert hitl("repair", "--dead-letters", "--yes").status == 130
    assert dead.hidden == set()
    assert dead.messages
