"""Ids by their first characters: what they find, and what that costs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

import hitl_approval_cli
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import World
from tests.anything import NOW, any_opening

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import WHOLE, asked, pending

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


def test_should_take_them_wherever_an_id_is_named() -> None:
    """Each command whose argument is an approval's id resolves it by this module."""
    commands = Path(hitl_approval_cli.__file__).parent / "commands"
    taking = [
        file
        for file in commands.rglob("*.py")
        if re.search(
            r"approval_ids?: (_?Ids?\b|Annotated)|metavar=\"\[?ID", file.read_text("utf-8")
        )
    ]
    assert len(taking) > 10
    assert [file.name for file in taking if "short_ids" not in file.read_text("utf-8")] == []


def test_should_verify_the_trail_of_a_short_id(hitl: Hitl, tables: DynamoDbStore) -> None:
    whole, other = (
        tables.create(any_opening(approval_id=one * 32, now=NOW)).approval_id for one in "12"
    )
    result = hitl("audit", "verify", whole[:8], other)
    assert (result.status, result.err) == (0, "")
    assert "ok 2 approvals, 2 events" in result.out
    alike = tables.create(any_opening(approval_id="1" * 8 + "3" * 24, now=NOW)).approval_id
    result = hitl("audit", "verify", "111111", alike)
    assert result.status == 1
    assert "111111 begins 2 ids" in result.err
    assert "failed 1 approval, 1 event" in result.out


def test_should_sum_nothing_up_where_there_was_nothing_to_verify(
    hitl: Hitl, tables: DynamoDbStore
) -> None:
    result = hitl("audit", "verify", "f5623674")
    assert (result.status, result.out) == (1, "")
    assert "APPROVAL_NOT_FOUND" in result.err


def test_should_not_search_for_a_whole_id(hitl: Hitl, world: World, cloud: FakeCloud) -> None:
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
