"""The groups of a test are checked as those of a deployment are."""

from __future__ import annotations

import pytest

from hitl_approval import InvalidRequest
from hitl_approval.domain.rule import Rule, Rules
from hitl_approval.testing.settings import SettingsInMemory


def test_should_know_the_people_of_a_group() -> None:
    assert SettingsInMemory(values={}, people={"leads": ["ann"]}).groups == {"leads": ("ann",)}


def test_should_refuse_somebody_named_twice() -> None:
    with pytest.raises(InvalidRequest, match="names 'Ann' twice"):
        _ = SettingsInMemory(values={}, people={"leads": ["ann", "Ann"]}).groups


def test_should_know_the_rules() -> None:
    rules = Rules((Rule("big", approvers=["cfo"]),))
    assert SettingsInMemory(values={}, people={}, given=rules).rules == rules
