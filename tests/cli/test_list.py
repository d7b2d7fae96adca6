"""`hitl list`: searches and pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_approval.testing import World
from hitl_approval_cli import clock
from tests.anything import NOW, any_request

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import pending, requested, shown

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


def test_should_list_what_has_waited_longest(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an alarm of old requests is about stands at the end of a list of the newest."""
    for number in range(250):
        pending(world, f"{number:032x}", now=NOW - timedelta(hours=number))
    monkeypatch.setattr(clock, "now", lambda: NOW)
    result = hitl("list", "--oldest", "--limit", "3")
    title, *lines = result.out.splitlines()
    assert "AGE" in title
    assert [line.split()[0] for line in lines] == [f"{number:032x}" for number in (249, 248, 247)]
    assert all(" 10d " in line for line in lines)
    assert shown(hitl, "list", "--oldest", "--limit", "1") == [f"{249:032x}"]
    assert hitl("list", "--oldest", "--cursor", "x").status == 2
    assert hitl("list", "--oldest", "--status", "rejected").out.startswith("No rejected approvals")


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


def test_should_say_how_to_go_on_when_1000_have_been_searched(
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
    assert "No pending approvals so far in hitl-approval.\nMore: hitl list" in out


def test_should_list_what_is_pending(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    result = hitl("list")
    assert result.status == 0
    assert approval_id in result.out
    assert "Q4 Budget Proposal" in result.out
    assert hitl("list", "--json").json["approvals"][0]["approval_id"] == approval_id


def test_should_say_that_a_list_is_empty(hitl: Hitl) -> None:
    assert hitl("list", "--status", "rejected").out == "No rejected approvals in hitl-approval.\n"


def test_should_say_how_to_get_the_next_page(hitl: Hitl, world: World) -> None:
    first, second = requested(world), requested(world)
    page = hitl("list", "--limit", "1", "--json").json
    assert "More: hitl list --status pending --limit 1 --cursor" in hitl("list", "--limit", "1").out
    rest = hitl("list", "--limit", "1", "--cursor", page["cursor"], "--json").json
    assert {page["approvals"][0]["approval_id"], rest["approvals"][0]["approval_id"]} == {
        first,
        second,
    }


def test_should_write_the_whole_list_for_a_spreadsheet(
    hitl: Hitl, world: World, cloud: FakeCloud
) -> None:
    for number in range(150):
        subject = "=1+1" if number == 7 else f"Zoë's request {number}"
        now = NOW + timedelta(seconds=number)
        pending(world, f"{number:032x}", request=any_request(subject=subject), now=now)

    written = hitl("list", "--csv").out

    lines = written.removeprefix("\ufeff").splitlines()
    assert (written[0], len(lines), len(cloud.asked)) == ("\ufeff", 151, 2)
    assert lines[0].startswith("approval_id,status,subject,")
    assert len({line.split(",")[0] for line in lines}) == 151
    assert (",=1+1," in written, ",'=1+1," in written) == (False, True)
    assert "Zoë's request 149" in lines[1]


def test_should_write_one_kind_of_file(hitl: Hitl) -> None:
    refused = hitl("list", "--csv", "--json")
    assert refused.status == 2
    assert "--csv: not together with --json" in refused.err
