"""What somebody works on: urgent first, and nothing is missed however much there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.ports.records import Page
from hitl_approval.testing import World, in_memory
from hitl_approval.usecases import worklist
from hitl_approval.usecases.decide import SEARCHED
from hitl_approval.usecases.worklist import EXPORTED, Worklist
from tests.anything import any_opening, any_request

ANN = "ann@example.com"


def ask(world: World, number: int, *approvers: str, hours: int = 8, **fields: Any) -> str:
    request = any_request(
        subject=f"Request {number}", requester="rita", approvers=approvers, **fields
    )
    opening = any_opening(
        now=world.clock.now(),
        request=request,
        timeout=timedelta(hours=hours),
        approval_id=f"approval-{number:05}",
    )
    approval = world.store.create(opening)
    world.inbox.add(approval, approval.deciders)
    return approval.approval_id


def pages(page_after: Callable[[str | None], Worklist]) -> list[list[str]]:
    found, cursor = [], None
    while True:
        page = page_after(cursor)
        found.append([item["approval_id"] for item in page.items])
        cursor = page.cursor
        if cursor is None:
            return found


def pending(world: World, search: str | None = None, *, limit: int = 20) -> list[list[str]]:
    to_answer = worklist.awaiting(world.decisions, ANN)

    def page(cursor: str | None) -> Worklist:
        return worklist.pending(
            world.decisions,
            to_answer,
            limit=limit,
            cursor=cursor,
            search=search,
        )

    return pages(page)


def mine(world: World, search: str | None = None, *, limit: int = 20) -> list[list[str]]:
    def page(cursor: str | None) -> Worklist:
        return worklist.mine(world.decisions, ANN, limit=limit, cursor=cursor, search=search)

    return pages(page)


@dataclass(frozen=True)
class Read:
    """Items in their order, read page by page as a store does, without sorting them anew."""

    items: Sequence[dict[str, Any]]
    by: str

    def awaiting(self, _: str, *, limit: int, cursor: str | None) -> Page:
        ids = [item["approval_id"] for item in self.items]
        start = 0 if cursor is None else ids.index(decode_cursor(cursor)[1]) + 1
        page = self.items[start : start + limit]
        more = start + limit < len(self.items)
        return Page(
            page, encode_cursor(page[-1][self.by], ids[start + limit - 1]) if more else None
        )

    def list_by_status(self, status: str, *, limit: int, cursor: str | None, since: Any) -> Page:
        assert (status, since) == ("pending", None)
        return self.awaiting("", limit=limit, cursor=cursor)


@pytest.fixture(scope="module")
def five_thousand() -> World:
    """5,000 are pending; two of three await ann."""
    at = datetime(2026, 1, 31, tzinfo=UTC)
    items = [
        {
            "approval_id": f"approval-{number:05}",
            "status": "pending",
            "subject": f"Request {number}",
            "requester": "rita",
            "created_at": isoformat(at - timedelta(seconds=number // 10)),
            "expires_at": isoformat(at + timedelta(hours=number % 47)),
        }
        for number in range(5_000)
    ]
    world = in_memory()
    own = [item for item in items if int(item["approval_id"][-5:]) % 3]
    own.sort(key=lambda item: (item["expires_at"], item["approval_id"]))
    lists = dataclasses.replace(
        world.decisions,
        store=cast(Any, Read(items, "created_at")),
        inbox=cast(Any, Read(own, "expires_at")),
    )
    return cast(World, SimpleNamespace(decisions=lists))


def test_should_put_what_awaits_one_first_and_then_what_expires_first(world: World) -> None:
    ask(world, 1, "bob", hours=1)
    ask(world, 2, ANN, hours=9)
    ask(world, 3, ANN, hours=5)
    ask(world, 4, hours=3)
    [page] = pending(world)
    assert [int(each[-1]) for each in page] == [3, 2, 1, 4]
    [page] = mine(world)
    assert [int(each[-1]) for each in page] == [3, 2]


def test_should_say_how_many_there_are_where_that_is_known(world: World) -> None:
    for number in range(30):
        ask(world, number, ANN)
    found = worklist.pending(
        world.decisions, worklist.Awaiting((), complete=True), limit=20, cursor=None, search=None
    )
    assert (found.total, found.by_urgency, len(found.items)) == (30, True, 20)


def test_should_give_each_of_nine_hundred_once_by_urgency(world: World) -> None:
    asked = {ask(world, number, *([ANN] if number % 2 else [])) for number in range(900)}
    found = pending(world, limit=100)
    assert [len(page) for page in found] == [100] * 9
    listed = [each for page in found for each in page]
    assert (len(listed), set(listed)) == (900, asked)
    assert all(int(each[-1]) % 2 for each in listed[:450])


def test_should_miss_none_of_five_thousand_and_show_none_twice(five_thousand: World) -> None:
    listed = [each for page in pending(five_thousand) for each in page]
    assert len(listed) == len(set(listed)) == 5_000
    own = [each for page in mine(five_thousand) for each in page]
    assert len(own) == len(set(own)) == 5_000 - 1_667


def test_should_find_each_of_five_thousand_that_is_searched_for(five_thousand: World) -> None:
    found = [each for page in pending(five_thousand, "request 17") for each in page]
    wanted = {f"approval-{n:05}" for n in range(5_000) if str(n).startswith("17")}
    assert (len(found), set(found)) == (len(wanted), wanted)
    own = [each for page in mine(five_thousand, "request 17") for each in page]
    assert set(own) == {each for each in wanted if int(each[-5:]) % 3}
    assert len(own) == len(set(own))


def test_should_export_each_of_five_thousand_once_and_say_when_there_are_more(
    five_thousand: World,
) -> None:
    items, complete = worklist.export(five_thousand.decisions, "pending")
    assert (len({item["approval_id"] for item in items}), complete) == (EXPORTED, True)
    found, complete = worklist.export(five_thousand.decisions, "pending", search="request 4999")
    assert ([item["subject"] for item in found], complete) == (["Request 4999"], True)


def test_should_say_that_an_export_is_not_all(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(worklist, "EXPORTED", 200)
    for number in range(201):
        ask(world, number)
    items, complete = worklist.export(world.decisions, "pending")
    assert (len(items), complete) == (200, False)


def test_should_count_what_awaits_up_to_a_thousand(five_thousand: World) -> None:
    found = worklist.awaiting(five_thousand.decisions, ANN)
    assert (len(found.ids), found.complete) == (SEARCHED, False)


def test_should_refuse_the_cursor_of_a_list_that_has_grown_too_long(world: World) -> None:
    for number in range(25):
        ask(world, number)
    none = worklist.Awaiting((), complete=True)
    first = worklist.pending(world.decisions, none, limit=20, cursor=None, search=None)
    for number in range(25, SEARCHED + 2):
        ask(world, number)
    with pytest.raises(InvalidRequest, match="has grown since: open the list again"):
        worklist.pending(world.decisions, none, limit=20, cursor=first.cursor, search=None)


@pytest.mark.parametrize("cursor", ["", "0", "2x", "garbage", "n", "nx", "é"])
def test_should_refuse_a_cursor_that_no_list_gave(world: World, cursor: str) -> None:
    none = worklist.Awaiting((), complete=True)
    with pytest.raises(InvalidRequest, match="is not one that a list gave"):
        worklist.pending(world.decisions, none, limit=20, cursor=cursor, search=None)


def test_should_await_nothing_where_no_inbox_is_kept(world: World) -> None:
    without = dataclasses.replace(world.decisions, inbox=None)
    assert worklist.awaiting(without, ANN) == worklist.Awaiting((), complete=True)
