"""`hitl status`: how a request stands, in one line."""

from __future__ import annotations

from hitl_approval.testing import World
from hitl_approval_cli.commands.status import STATUS_FIELDS

from .conftest import Hitl
from .pending import WHOLE, pending


def test_should_say_in_one_line_how_it_stands(hitl: Hitl, world: World) -> None:
    pending(world)
    assert hitl("status", WHOLE).out == "pending, expired, 0 of 1 approvals\n"
    hitl("approve", WHOLE, "--yes")
    assert hitl("status", WHOLE).out.startswith("approved by bob at 2026-01-0")
    assert list(hitl("status", WHOLE, "--json").json) == [*STATUS_FIELDS]
