"""Who mails are from, as a deployment writes it to its functions."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.sender import Sender


def test_should_read_who_it_is() -> None:
    values = {"address": "approvals@example.org", "name": "Approvals", "reply_to": None}
    assert Sender.from_dict(values) == Sender(address="approvals@example.org", name="Approvals")


@pytest.mark.parametrize(
    "values",
    [None, [], "a", {}, {"address": 1}, {"more": "x"}, {"address": "a@b.example", "name": ""}],
)
def test_should_refuse_something_else(values: Any) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        Sender.from_dict(values)
