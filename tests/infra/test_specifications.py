"""The table of functions: one for each entry point, each with a name of its own."""

from __future__ import annotations

from collections import Counter

from hitl_approval.contract import Handler
from hitl_approval_cdk.specifications import FUNCTIONS
from tests.infra.synth import ROOT


def test_should_specify_a_function_for_each_entry_point() -> None:
    entry_points = {value for name, value in vars(Handler).items() if name.isupper()}
    assert {each.handler for each in FUNCTIONS} == entry_points
    assert entry_points == {
        f"{path.parent.name}.handler.handler" for path in (ROOT / "lambdas").glob("*/handler.py")
    }


def test_should_name_each_part_once() -> None:
    for parts in ("name", "description", "role"):
        assert set(Counter(getattr(each, parts) for each in FUNCTIONS).values()) == {1}
