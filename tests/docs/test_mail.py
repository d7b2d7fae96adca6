"""What `docs/mail.md` shows is run, and what it says of a mail is what is in one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import assertions

from hitl_approval.adapters.ses import returned_of
from hitl_approval.mail.facts import MAX_ROWS, MAX_VALUE
from tests.unit.adapters.test_ses import event

PAGE = (Path(__file__).parents[2] / "docs" / "mail.md").read_text(encoding="utf-8")


def test_should_run_what_it_shows() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(block, shown)
    template = assertions.Template.from_stack(shown["stack"])
    template.resource_count_is("AWS::SES::ConfigurationSet", 1)
    template.resource_count_is("AWS::SNS::Subscription", 0)


def test_should_count_what_a_mail_shows() -> None:
    assert (
        f"at most {MAX_ROWS} fields of the context in their order, {MAX_VALUE} characters" in PAGE
    )


def test_should_say_what_comes_back_as_it_is_noted() -> None:
    rows = re.findall(r"^\| (\w+)[^|]*\| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    said = {
        name: (reasons, state) for name, reasons, state in rows if name in {"complaint", "reject"}
    }
    for kind in ("Complaint", "Reject"):
        returned = returned_of(event(kind))
        assert returned is not None
        reason, state = said[kind.lower()]
        assert returned.reason == reason
        assert ("stays `sent`" in state) is returned.arrived
