"""What `hitl doctor` says of the parts that AWS runs for a deployment, with the command to give."""

from __future__ import annotations

import json

import pytest

from hitl_approval_cli import parts
from hitl_approval_cli.errors import TransientError

from .conftest import Hitl
from .fake_cloud import FakeCloud, Queue
from .test_doctor import Fine, fine

__all__ = ["fine"]  # a fixture
PAGE = "https://page.example"


def said(hitl: Hitl, name: str) -> tuple[str, str, str]:
    checks = hitl("doctor", "--json").json["checks"]
    [found] = [each for each in checks if each["name"] == name]
    return found["state"], found["found"], found["fix"]


def test_should_name_a_function_that_nothing_may_start(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    cloud.reserved = {"sweep": 0, "workflow": 10}
    state, found, fix = said(hitl, "functions")
    assert (state, found) == ("wrong", "Sweep: is throttled, nothing may start it")
    assert fix == "aws lambda delete-function-concurrency --function-name sweep"


def test_should_name_a_function_that_is_not_brought_the_stream(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    cloud.have_functions("Publisher", "Messenger")
    for function, state in (("publisher", "Disabled"), ("messenger", "Enabled")):
        arn = "arn:aws:dynamodb:us-east-1:123456789012:table/audit/stream/1"
        cloud.mappings.append(
            {
                "FunctionName": function,
                "State": state,
                "UUID": f"u-{function}",
                "EventSourceArn": arn,
            }
        )
    state, found, fix = said(hitl, "functions")
    assert (state, found) == ("wrong", "Publisher: its stream mapping is switched off")
    assert fix == "aws lambda update-event-source-mapping --uuid u-publisher --enabled"


def test_should_name_a_schedule_that_is_off_or_gone(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    cloud.rules["every-5-minutes"]["State"] = "DISABLED"
    cloud.have_functions("Messenger")
    state, found, fix = said(hitl, "schedules")
    assert state == "wrong"
    assert found == "that of Sweep is switched off; Messenger has no schedule"
    assert fix == "aws events enable-rule --name every-5-minutes; deploy the stack again"


def test_should_leave_alone_a_rule_that_is_no_schedule(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    cloud.rules["bounces"] = {"Target": "sweep", "State": "DISABLED", "EventPattern": "{}"}
    assert said(hitl, "schedules")[0] == "ok"


@pytest.fixture
def at_page(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str] | None]:
    """What is answered at the page's address; None: nothing is."""
    cloud.outputs["PageUrl"] = PAGE
    answers: list[tuple[int, str] | None] = []

    def fetch(url: str, path: str) -> tuple[int, str]:
        assert (url, path) == (PAGE, "/a/hitl-doctor")
        if (answer := answers.pop()) is None:
            raise TransientError("page.example was not reached")
        return answer

    monkeypatch.setattr(parts, "fetch", fetch)
    return answers


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        ((404, "<p>This link does not open anything</p>"), "ok", f"{PAGE} answers"),
        ((429, "Too Many Requests"), "wrong", f"{PAGE} answers 429: nobody can open a link now"),
        ((503, ""), "wrong", f"{PAGE} answers 503: nobody can open a link now"),
        ((200, "parked domain"), "wrong", f"{PAGE} answers 200, and not as the deployment's page"),
        (None, "wrong", f"{PAGE} does not answer: page.example was not reached"),
    ],
)
@pytest.mark.usefixtures("fine")
def test_should_open_the_page_where_links_lead(
    hitl: Hitl,
    at_page: list[tuple[int, str] | None],
    answer: tuple[int, str] | None,
    state: str,
    found: str,
) -> None:
    at_page.append(answer)
    assert said(hitl, "page")[:2] == (state, found)


def test_should_know_what_the_page_answers() -> None:
    from hitl_approval.http.link_page import handle
    from hitl_approval.testing import in_memory

    event = {
        "pathParameters": {"token": "hitl-doctor"},
        "requestContext": {"http": {"method": "GET"}},
        "headers": {},
    }
    assert parts.NO_LINK in handle(event, lambda: in_memory().decisions)["body"]


def test_should_count_dead_letters(hitl: Hitl, fine: Fine, cloud: FakeCloud) -> None:
    cloud.queues["https://sqs.example/dead"].add("{}")
    state, found, fix = said(hitl, "dead letters")
    assert (state, found) == ("wrong", "1 message in the dead-letter queue")
    assert fix.startswith("hitl repair --dead-letters --dry-run")


@pytest.fixture
def archive(fine: Fine, cloud: FakeCloud) -> Queue:
    cloud.outputs["ArchiveKeyArn"] = "arn:key"
    cloud.have_functions("Publisher")
    cloud.variables["publisher"] = {"ARCHIVE": json.dumps({"queue_url": "https://sqs.example/a"})}
    cloud.queues["https://sqs.example/a"] = Queue()
    return cloud.queues["https://sqs.example/a"]


def test_should_say_whether_events_are_archived(
    hitl: Hitl, archive: Queue, cloud: FakeCloud
) -> None:
    assert said(hitl, "archive") == ("ok", "nothing waits for it", "")
    archive.add("[]")
    archive.receive(1)  # at work, and so not visible
    assert said(hitl, "archive")[:2] == ("wrong", "1 batch of events not archived yet")
    cloud.key_state = "Disabled"
    state, found, fix = said(hitl, "archive")
    assert (state, found) == ("wrong", "its key is Disabled: nothing can be archived")
    assert fix == "aws kms enable-key --key-id arn:key"
