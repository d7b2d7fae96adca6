"""`docs/lifecycle.md` is what the code does, and leaves out nothing that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from hitl_approval.contract import MessageKind
from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import EventName
from tests.docs.lifecycle import ACTS, FILE, Act, do, page, row, table


def test_should_be_what_make_docs_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "make docs"


def test_should_have_an_act_for_every_event_that_can_be_on_record() -> None:
    written = [done.transition for done in map(do, ACTS) if done.transition]
    assert {each.event.event for each in written} == {*get_args(EventName)}


def test_should_reach_every_status() -> None:
    written = [done.transition for done in map(do, ACTS) if done.transition]
    assert {each.after.status for each in written} == {*STATUSES}


def test_should_send_every_kind_of_message() -> None:
    assert [kind for kind in get_args(MessageKind) if f"`{kind}` to " not in table()] == []


def _cells() -> Iterator[tuple[Act, str, str]]:
    """Each act in each status in which a request has ended, and what becomes of it."""
    for act in ACTS[1:]:
        yield from ((act, status, cell) for status, cell in zip(STATUSES[1:], row(act)[4:8]))  # noqa: B905


@pytest.mark.parametrize("status", STATUSES[1:])
def test_should_leave_an_ended_request_as_it_is(status: str) -> None:
    became = {cell.strip("`") for _, in_status, cell in _cells() if in_status == status}
    assert not became & {*STATUSES}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.words)
def test_should_write_nothing_where_it_says_so(act: Act) -> None:
    if do(act).transition is None:
        assert row(act)[8:] == ("-",) * 4
    else:
        assert "-" not in row(act)[8]
