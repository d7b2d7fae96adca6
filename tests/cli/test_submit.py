"""`hitl submit`: what the workflow is started with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hitl_approval import file_digest
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.testing import World

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import pending


def test_should_submit_and_print_the_id_alone(hitl: Hitl, cloud: FakeCloud) -> None:
    result = hitl("submit", "--subject", "Q4 Budget", "--approver", "alice", "--timeout", "8h")

    assert result.status == 0
    (event,) = cloud.started
    assert event == {
        "subject": "Q4 Budget",
        "requester": "bob",
        "approvers": ["alice"],
        "timeout_seconds": 28800,
    }
    assert len(result.out.strip()) == 32


def test_should_derive_the_id_from_the_execution(hitl: Hitl) -> None:
    answer = hitl("submit", "--subject", "Q4", "--json").json
    assert answer["approval_id"] == derive_approval_id(answer["execution_arn"], "document")


def test_should_read_the_context_from_a_file(hitl: Hitl, cloud: FakeCloud, tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    file.write_text('{"amount": 5}')
    assert hitl("submit", "--subject", "Q4", "--context", f"@{file}").status == 0
    assert cloud.started[0]["context"] == {"amount": 5}


def test_should_keep_the_order_in_which_the_requester_says_it(hitl: Hitl, cloud: FakeCloud) -> None:
    """Approvers read the fields of a context and of a form in it."""
    context = '{"what": "flight", "amount": 5, "from": "BER"}'
    assert hitl("submit", "--subject", "Q4 Budget", "--context", context).status == 0
    assert list(cloud.started[0]["context"]) == ["what", "amount", "from"]


def test_should_have_the_pattern_s_fields_where_the_document_has_an_id(
    hitl: Hitl, cloud: FakeCloud
) -> None:
    assert hitl("submit", "--document-name", "Q4", "--document-id", "doc-7").status == 0
    assert cloud.started == [{"document_id": "doc-7", "document_name": "Q4", "requester": "bob"}]


def test_should_say_which_trace_it_belongs_to(hitl: Hitl, cloud: FakeCloud) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert hitl("submit", "--subject", "Q4", "--traceparent", trace).status == 0
    assert cloud.started[0]["traceparent"] == trace
    refused = hitl("submit", "--subject", "Q4", "--traceparent", "00-xyz")
    assert refused.status == 2
    assert "--traceparent" in refused.err
    assert len(cloud.started) == 1


def test_should_say_what_is_sensitive(hitl: Hitl, cloud: FakeCloud) -> None:
    context = ["--context", '{"card": "4111", "to": {"iban": "DE"}}']
    given = ["--sensitive", "card", "--sensitive", "to.iban"]
    assert hitl("submit", "--subject", "Q4", *context, *given).status == 0
    assert cloud.started[0]["sensitive"] == ["card", "to.iban"]
    refused = hitl("submit", "--subject", "Q4", *context, "--sensitive", "crad")
    assert (refused.status, refused.out) == (2, "")
    assert "names 'crad', which is no field of the context" in refused.err


def test_should_put_name_size_and_digest_of_files_on_the_request(
    hitl: Hitl, cloud: FakeCloud, tmp_path: Path
) -> None:
    for name in ("up.sql", "down.sql"):
        (tmp_path / name).write_text(name)
    words = [word for name in ("up.sql", "down.sql") for word in ("--file", str(tmp_path / name))]
    assert hitl("submit", "--subject", "Migrate", *words).status == 0
    assert cloud.started[0]["files"] == [
        file_digest(b"up.sql", name="up.sql"),
        file_digest(b"down.sql", name="down.sql"),
    ]


def test_should_refuse_a_file_that_is_not_there_or_comes_twice(hitl: Hitl, tmp_path: Path) -> None:
    refused = hitl("submit", "--subject", "Migrate", "--file", str(tmp_path / "up.sql"))
    assert (refused.status, refused.out) == (2, "")
    assert "up.sql: No such file" in refused.err
    (tmp_path / "up.sql").write_text("1")
    twice = ["--file", str(tmp_path / "up.sql")] * 2
    assert "hitl: --file: name 'up.sql' twice" in hitl("submit", "--subject", "M", *twice).err


def test_should_name_what_it_replaces_by_its_first_characters(
    hitl: Hitl, cloud: FakeCloud, world: World
) -> None:
    replaced = pending(world)
    assert hitl("submit", "--subject", "Again", "--supersedes", replaced[:8]).status == 0
    assert cloud.started[0]["supersedes"] == replaced
    unknown = hitl("submit", "--subject", "Again", "--supersedes", "0" * 8)
    assert (unknown.status, unknown.out) == (1, "")
    assert "no approval has the id 00000000" in unknown.err


def test_should_call_nothing_for_a_whole_id(hitl: Hitl, cloud: FakeCloud) -> None:
    assert hitl("submit", "--subject", "Again", "--supersedes", "0" * 32).status == 0
    assert cloud.started[0]["supersedes"] == "0" * 32
    assert {event.get("approval_id") for event in cloud.asked} != {"0" * 32}
    refused = hitl("submit", "--subject", "Again", "--supersedes", "../7")
    assert "hitl: --supersedes: must be the id of an approval" in refused.err


def test_should_ask_with_a_form_and_what_may_be_changed(
    hitl: Hitl, cloud: FakeCloud, tmp_path: Path
) -> None:
    file = tmp_path / "form.json"
    form = {"type": "object", "properties": {"reason": {"type": "string"}}}
    file.write_text(json.dumps(form), encoding="utf-8")
    given = ["--context", '{"amount": 5}', "--form", str(file), "--editable", "amount"]
    assert hitl("submit", "--subject", "Q4", *given).status == 0
    assert cloud.started[0]["form"] == form
    assert cloud.started[0]["editable"] == ["amount"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("{", "--form: is not JSON"),
        ('{"type": "array"}', '--form: must have "type": "object" and "properties"'),
        (None, "--form: "),
    ],
)
def test_should_refuse_a_form_that_nobody_could_fill_in(
    hitl: Hitl, cloud: FakeCloud, tmp_path: Path, form: str | None, said: str
) -> None:
    file = tmp_path / "form.json"
    if form is not None:
        file.write_text(form, encoding="utf-8")
    refused = hitl("submit", "--subject", "Q4", "--form", str(file))
    assert (refused.status, said in refused.err) == (2, True)
    assert cloud.started == []


def test_should_submit_with_business_hours(hitl: Hitl, cloud: FakeCloud) -> None:
    hours = ("--business-hours", "1.5", "--zone", "Europe/Berlin")
    assert hitl("submit", "--subject", "Q4 Budget", *hours).status == 0
    assert cloud.started[0]["business_hours"] == {"hours": 1.5, "zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--business-hours", "8"], "--business-hours and --zone belong together"),
        (["--zone", "UTC"], "--business-hours and --zone belong together"),
        (
            ["--business-hours", "8", "--zone", "UTC", "--timeout", "8h"],
            "--business-hours: stands beside timeout_seconds: give one of the two",
        ),
        (["--stage", "ann:0"], "--stage: quorum_count must be a whole number of at least 1, got 0"),
        (["--stage", "ann", "--approver", "bob"], "--stage: say who is asked: leave approvers"),
        (["--approver", "ann", "--escalate", "2h:"], "--escalate: "),
        (
            ["--business-hours", "0", "--zone", "UTC"],
            "--business-hours: business_hours needs a number of hours above 0, got 0",
        ),
        (["--business-hours", "8", "--zone", "Berlin"], "--business-hours: time zone 'Berlin'"),
    ],
)
def test_should_refuse_by_its_option_what_would_be_refused(
    hitl: Hitl, cloud: FakeCloud, words: list[str], message: str
) -> None:
    result = hitl("submit", "--subject", "Q4 Budget", *words)
    assert result.status == 2
    assert result.err.startswith(f"hitl: {message}")
    assert cloud.started == []
