"""`hitl inbox`: what awaits a decision, and what it costs to see it."""

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
from hitl_approval.usecases import decide
from hitl_approval_cli import clock, output
from tests.anything import any_opening, any_request
from tests.contract.test_inbox import create_inbox

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import WHOLE, asked, filed, pending, shown

# inbox


def test_should_show_what_expires_soonest_first(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
    pending(world, "1" * 32, timeout=timedelta(hours=3))
    pending(world, "2" * 32, timeout=timedelta(hours=1))
    pending(world, "3" * 32, timeout=timedelta(hours=2))
    assert shown(hitl, "inbox") == ["2" * 32, "3" * 32, "1" * 32]
    assert asked(cloud) == ["list"]
    assert hitl("inbox").out.index("2" * 32) < hitl("inbox").out.index("3" * 32)
    assert "More: hitl inbox --limit 1 --cursor " in hitl("inbox", "--limit", "1").out


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
        "Nothing in hitl-approval awaits dan by name: hitl inbox shows all.\n"
    )


def test_should_say_that_a_deployment_keeps_no_inbox(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.decisions = replace(cloud.decisions, inbox=None)
    refused = hitl("inbox", "--mine")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hitl: action: needs an inbox, which this deployment does not")


def stop_after(monkeypatch: pytest.MonkeyPatch, *between: Any) -> None:
    """Do these between two checks, then Ctrl-C."""
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


# Many pending


def test_should_show_the_first_of_many_by_one_query(
    hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as many as one call searches for a requester's."""
    searched, many = 100, 300
    monkeypatch.setattr(decide, "SEARCHED", searched)
    template = any_opening(approval_id="0" * 32, timeout=timedelta(hours=1))
    tables.create(template)
    key = {"approval_id": {"S": "0" * 32}}
    row = tables.client.get_item(TableName="approvals", Key=key)["Item"]
    from moto.backends import get_backend

    table = get_backend("dynamodb")["123456789012"]["us-east-1"].tables["approvals"]
    for number in range(1, many):
        created = f"2026-01-02T03:{number // searched:02}:{number % 60:02}.{number:03}Z"
        attributes = {
            **row,
            "approval_id": {"S": f"{number:032x}"},
            "created_at": {"S": created},
            "requester": {"S": "rita" if number % searched == 0 else "sam"},
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
    for number in range(1, many):
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
    assert sorted(ids) == [0, *range(searched, many, searched)]


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
