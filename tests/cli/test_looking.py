"""Inbox, lists, prefixes of ids: what a person sees, and what it costs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.testing import World
from hitl_approval_cli import clock, output
from hitl_approval_cli.commands.status import STATUS_FIELDS
from tests.anything import NOW, any_opening, any_request
from tests.contract.test_inbox import create_inbox

from .conftest import Hitl
from .fake_cloud import FakeCloud

WHOLE = "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c"


def pending(world: World, approval_id: str = WHOLE, **fields: Any) -> str:
    opening = any_opening(approval_id=approval_id, **({"now": world.clock.now()} | fields))
    return world.store.create(opening).approval_id


def asked(cloud: FakeCloud) -> list[str]:
    return [event["action"] for event in cloud.asked]


def shown(hitl: Hitl, *words: str) -> list[str]:
    return [item["approval_id"] for item in hitl(*words, "--json").json["approvals"]]


# Ids by their first characters


@pytest.mark.parametrize("words", [["show"], ["get"], ["status"], ["history"], ["approve", "-y"]])
def test_should_take_the_first_characters_of_an_id(
    hitl: Hitl, world: World, words: list[str]
) -> None:
    pending(world)
    pending(world, "2" * 32)
    result = hitl(*words, WHOLE[:6], "--json")
    assert result.status == 0
    assert result.json["approval_id"] == WHOLE


def test_should_not_look_around_for_a_whole_id(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
    pending(world)
    hitl("show", WHOLE)
    assert asked(cloud) == ["get"]
    assert "no approval has the id" in hitl("show", "3" * 32).err
    assert asked(cloud) == ["get", "get"]


def test_should_decide_nothing_by_an_ambiguous_prefix(hitl: Hitl, world: World) -> None:
    other = "1f0e7c" + "0" * 26
    pending(world)
    pending(world, other)
    hitl("cancel", WHOLE, "--yes")

    result = hitl("approve", "1f0e7c", "--yes")

    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"hitl: 1f0e7c begins 2 ids, give more of it: {other}, {WHOLE} (AMBIGUOUS_ID)\n"
    )
    assert world.store.approvals[other].pending
    assert hitl("approve", "1f0e7c00", "--yes").status == 0


def test_should_find_a_short_id_among_many_pending(
    hitl: Hitl, world: World, cloud: FakeCloud
) -> None:
    for number in range(2_500):
        pending(world, f"{number:08x}{'0' * 24}", now=NOW + timedelta(seconds=number))
    pending(world, WHOLE, now=NOW + timedelta(days=1))
    hitl("approve", WHOLE, "--yes")
    cloud.asked.clear()

    assert hitl("show", WHOLE[:8], "--json").json["status"] == "approved"
    assert hitl("show", "00000007", "--json").json["approval_id"] == "00000007" + "0" * 24
    assert len(asked(cloud)) < 25
    ambiguous = hitl("approve", "000000", "--yes")
    assert (ambiguous.status, ambiguous.out) == (1, "")
    assert ambiguous.err.startswith("hitl: 000000 begins 256 ids, give more of it: ")


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (
            ["show", "12"],
            1,
            "no approval has the id 12: give at least 6 of its first characters",
        ),
        (["show", "1234567"], 1, "no approval has the id 1234567 or one that begins so"),
        (["show", "an-id"], 1, "no approval has the id an-id"),
        (["show", ""], 2, "ID: must be 1 to 64 letters, digits, - or _, got ''"),
        (["list", "--status", "all"], 2, "--status: must be one of pending, approved, rejected,"),
        (["list", "--cursor", "x"], 2, "--cursor: is not one that a list gave"),
        (["list", "--requester", ""], 2, "--requester: must not be empty"),
        (["approve", WHOLE, "--yes", "--as", ""], 2, "--as: must not be empty"),
        (["reject", WHOLE, "--yes", "-m", "x" * 2_001], 2, "--message: must be at most 2000"),
        (["submit", "--subject", ""], 2, "--subject: must not be empty"),
        (["submit", "--subject", "x", "--context", "5"], 2, "--context: must be an object, got a"),
        (
            ["submit", "--subject", "x", *(f"--approver=p{n}" for n in range(21))],
            2,
            "--approver: must be at most 20, got 21",
        ),
        (["--stack", "x", "list"], 2, "--stack stands behind the command: hitl COMMAND --stack"),
        (["--json", "list"], 2, "--json stands behind the command: hitl COMMAND --json"),
        (["audit", "-v", "verify"], 2, "-v stands behind the command: hitl audit COMMAND -v"),
    ],
    ids=str,
)
def test_should_say_what_is_wrong_in_the_words_that_were_typed(
    hitl: Hitl, world: World, words: list[str], status: int, line: str
) -> None:
    pending(world)
    result = hitl(*words)
    told = json.loads(result.err)["error"]["message"] if "--json" in words else result.err
    assert (result.status, result.out) == (status, "")
    assert told.removeprefix("hitl: ").startswith(line)


# status and show


def test_should_say_in_one_line_how_it_stands(hitl: Hitl, world: World) -> None:
    pending(world)
    assert hitl("status", WHOLE).out == "pending, expired, 0 of 1 approvals\n"
    hitl("approve", WHOLE, "--yes")
    assert hitl("status", WHOLE).out.startswith("approved by bob at 2026-01-0")
    assert list(hitl("status", WHOLE, "--json").json) == [*STATUS_FIELDS]


def test_should_show_the_code_that_a_link_asks_for(hitl: Hitl, world: World) -> None:
    pending(world)
    assert "Code" not in hitl("show", WHOLE).out
    approval = world.store.approvals[WHOLE]
    world.store.add_links(approval, [], challenge="H7KQ-2M4X")
    assert "Code       H7KQ-2M4X" in hitl("show", WHOLE).out
    assert hitl("show", WHOLE, "--json").json["challenge"] == "H7KQ-2M4X"


# list


def test_should_list_what_was_asked_since(
    hitl: Hitl, world: World, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending(world, "1" * 32, now=NOW - timedelta(days=9))
    pending(world, "2" * 32, now=NOW - timedelta(days=6))
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert shown(hitl, "list", "--since", "7d") == ["2" * 32]
    assert cloud.asked == [
        {"action": "list", "status": "pending", "limit": 20, "since": "2025-12-26T03:04:05.000Z"}
    ]


def test_should_list_what_a_person_asked_page_by_page(hitl: Hitl, world: World) -> None:
    for number in range(250):
        who = "rita" if number % 50 == 0 else "sam"
        now = NOW + timedelta(seconds=number)
        pending(world, f"{number:032x}", request=any_request(requester=who), now=now)

    first = hitl("list", "--requester", "Rita", "--limit", "3", "--json").json
    rest = hitl(
        "list", "--requester", "Rita", "--limit", "3", "--cursor", first["cursor"], "--json"
    ).json

    ids = [item["approval_id"] for item in (*first["approvals"], *rest["approvals"])]
    assert ids == [f"{number:032x}" for number in (200, 150, 100, 50, 0)]
    assert rest["cursor"] is None
    out = hitl("list", "--requester", "rita", "--limit", "3").out
    assert (
        f"More: hitl list --status pending --requester rita --limit 3 --cursor {first['cursor']}"
        in out
    )


def test_should_leave_a_search_to_the_function(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
    pending(world, "1" * 32)
    pending(world, "2" * 32, request=any_request(requester="sam", subject="Q1 Budget"))
    pending(world, "3" * 32, request=any_request(requester="sam", subject="Hire Eva"))
    assert shown(hitl, "list", "--subject", "BUDGET", "--requester", "Sam") == ["2" * 32]
    (asked,) = cloud.asked
    assert {name: asked[name] for name in ("requester", "subject")} == {
        "requester": "Sam",
        "subject": "BUDGET",
    }


def test_should_say_how_to_go_on_when_1000_have_been_looked_through(
    hitl: Hitl, world: World, cloud: FakeCloud
) -> None:
    for number in range(1_001):
        pending(world, f"{number:032x}", now=NOW + timedelta(seconds=number))
    page = hitl("list", "--requester", "nobody", "--json").json
    assert page["approvals"] == []
    assert len(cloud.asked) == 1
    rest = hitl("list", "--requester", "nobody", "--cursor", page["cursor"], "--json").json
    assert rest == {"approvals": [], "cursor": None}
    out = hitl("list", "--requester", "nobody").out
    assert "No pending approvals so far.\nMore: hitl list" in out


# inbox


def test_should_show_what_expires_soonest_first(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
    pending(world, "1" * 32, timeout=timedelta(hours=3))
    pending(world, "2" * 32, timeout=timedelta(hours=1))
    pending(world, "3" * 32, timeout=timedelta(hours=2))
    assert shown(hitl, "inbox") == ["2" * 32, "3" * 32, "1" * 32]
    assert asked(cloud) == ["list"]
    assert hitl("inbox").out.index("2" * 32) < hitl("inbox").out.index("3" * 32)


def filed(world: World, approval_id: str, **fields: Any) -> None:
    """A pending approval, in the inboxes of those it names."""
    pending(world, approval_id, **fields)
    approval = world.store.approvals[approval_id]
    world.inbox.add(approval, approval.deciders)


def test_should_show_only_what_awaits_me(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
    for number, approvers in enumerate([[], ["Bob"], ["carol"], ["bob", "carol"]], start=1):
        request = any_request(requester="rita", approvers=approvers)
        filed(world, str(number) * 32, request=request, timeout=timedelta(hours=9 - number))
    assert shown(hitl, "inbox", "--mine") == ["4" * 32, "2" * 32]
    assert cloud.asked == [{"action": "inbox", "approver": "bob", "limit": 20}]
    assert shown(hitl, "inbox", "--mine", "--as", "Carol") == ["4" * 32, "3" * 32]

    page = hitl("inbox", "--mine", "--as", "carol", "--limit", "1").out
    words = page.rpartition("More: hitl ")[2].split()
    assert words[:-1] == ["inbox", "--mine", "--as", "carol", "--limit", "1", "--cursor"]
    assert shown(hitl, *words) == ["3" * 32]
    assert hitl("inbox", "--mine", "--as", "dan").out == (
        "Nothing awaits dan by name: hitl inbox shows all.\n"
    )


def test_should_say_that_a_deployment_keeps_no_inbox(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.decisions = replace(cloud.decisions, inbox=None)
    refused = hitl("inbox", "--mine")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hitl: action: needs an inbox, which this deployment does not")


def stop_after(monkeypatch: pytest.MonkeyPatch, *between: Any) -> None:
    """Do these between two looks, then Ctrl-C."""
    steps = iter(between)

    def pause(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(clock, "pause", pause)


def test_should_print_a_line_for_each_request_that_is_new(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending(world, "1" * 32)
    more = (lambda: pending(world, "2" * 32)), (lambda: None)
    stop_after(monkeypatch, *more)
    result = hitl("inbox", "--watch")
    assert (result.status, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == ["1" * 32, "2" * 32]
    stop_after(monkeypatch)
    lines = hitl("inbox", "--watch", "--json").out.splitlines()
    assert {json.loads(line)["approval_id"] for line in lines} == {"1" * 32, "2" * 32}


# 10,000 pending


def test_should_show_the_first_of_10000_by_one_query(
    hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    template = any_opening(approval_id="0" * 32, timeout=timedelta(hours=1))
    tables.create(template)
    key = {"approval_id": {"S": "0" * 32}}
    row = tables.client.get_item(TableName="approvals", Key=key)["Item"]
    from moto.backends import get_backend

    table = get_backend("dynamodb")["123456789012"]["us-east-1"].tables["approvals"]
    for number in range(1, 10_000):
        created = f"2026-01-02T03:{number // 1000:02}:{number % 60:02}.{number % 1000:03}Z"
        attributes = {
            **row,
            "approval_id": {"S": f"{number:032x}"},
            "created_at": {"S": created},
            "requester": {"S": "rita" if number % 1_000 == 0 else "sam"},
        }
        table.put_item(attributes)
    calls: list[str] = []
    tables.client.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: calls.append(model.name)
    )

    page = hitl("inbox", "--json").json

    assert (len(page["approvals"]), calls) == (20, ["Query"])
    create_inbox(tables.client)
    inbox = DynamoDbInbox(client=tables.client, table="inbox")
    inbox.add(template.after, ["bob"])
    (first,) = tables.client.scan(TableName="inbox")["Items"]
    kept = get_backend("dynamodb")["123456789012"]["us-east-1"].tables["inbox"]
    for number in range(1, 10_000):
        kept.put_item({**first, "due": {"S": f"2026-01-02T04:04:05.000Z#{number:032x}"}})
    cloud.decisions = replace(cloud.decisions, inbox=inbox)
    calls.clear()
    page = hitl("inbox", "--mine", "--json").json
    assert (len(page["approvals"]), calls) == (20, ["Query"])
    mine = hitl("list", "--requester", "rita", "--limit", "2", "--json").json
    ids = [int(item["approval_id"], 16) for item in mine["approvals"]]
    while mine["cursor"]:
        words = ["--limit", "2", "--cursor", mine["cursor"], "--json"]
        mine = hitl("list", "--requester", "rita", *words).json
        ids += [int(item["approval_id"], 16) for item in mine["approvals"]]
    assert sorted(ids) == [0, *range(1_000, 10_000, 1_000)]


def test_should_redraw_one_page_in_a_terminal(
    world: World, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    from hitl_approval_cli import main

    pending(world)
    stop_after(monkeypatch, lambda: None)
    monkeypatch.setenv("HITL_USER", "bob")
    written = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=written, force_terminal=True, width=120))
    assert main.run(["inbox", "--watch"]) == 0
    assert WHOLE in written.getvalue()
