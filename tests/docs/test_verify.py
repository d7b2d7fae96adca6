"""What `docs/verify.md` shows is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hitl_approval.testing import Approvals, RunFailed

PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
PAYMENT = {"charge": "ch_7", "amount": 70}


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What Stripe was asked to pay back."""
    found: list[dict[str, Any]] = []
    refund = SimpleNamespace(create=lambda **payment: found.append(payment))
    monkeypatch.setitem(sys.modules, "stripe", SimpleNamespace(Refund=refund))
    return found


def shown() -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, namespace)
    return namespace


def test_should_pay_what_was_approved_once_under_its_key(paid: list[dict[str, Any]]) -> None:
    with Approvals() as approvals:
        run = approvals.start(shown()["refund"], PAYMENT)
        approvals.approve(by="ann")
        run.result()
    (payment,) = paid
    assert re.fullmatch("[0-9a-f]{32}", payment.pop("idempotency_key"))
    assert payment == PAYMENT


def test_should_pay_nothing_that_was_rejected(paid: list[dict[str, Any]]) -> None:
    with Approvals() as approvals:
        run = approvals.start(shown()["refund"], PAYMENT)
        approvals.reject(by="ann", comments="too much")
        with pytest.raises(RunFailed, match="rejected by ann: too much"):
            run.result()
    assert paid == []


def test_should_ask_about_the_file_that_it_shows(paid: list[dict[str, Any]]) -> None:
    request = shown()["request"]
    assert [file["name"] for file in request.files] == ["plan.tfplan"]
