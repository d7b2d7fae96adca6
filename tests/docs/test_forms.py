"""What `docs/forms.md` shows is run, and the numbers that it names are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.domain import edit, form, form_schema, number
from hitl_approval.testing import Approvals

TEXT = (Path(__file__).parents[2] / "docs" / "forms.md").read_text(encoding="utf-8")


@pytest.fixture
def handler() -> Any:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(compile(block, "forms.md", "exec", dont_inherit=True), shown)
    return shown["handler"]


@pytest.mark.parametrize(("changes", "paid"), [(None, 100), ({"amount": 70}, 70)])
def test_should_run_what_it_shows(handler: Any, changes: Any, paid: int) -> None:
    with Approvals() as approvals:
        run = approvals.start(handler, {"amount": 100})
        given = {"cost_center": "4200", "reason": "ordered in October"}
        approvals.approve(by="ann", input=given, changes=changes)
        assert run.result() == {"paid": paid, "cost_center": "4200"}


def test_should_name_the_numbers_of_the_code() -> None:
    limits = " ".join(TEXT.partition("## Limits")[2].split())
    for said in (
        f"{form_schema.MAX_FORM_FIELDS} fields of a form of {form_schema.MAX_FORM_BYTES:,} bytes",
        f"{form_schema.MAX_CHOICES} choices of {form_schema.MAX_CHOICE} characters",
        f"{form.MAX_INPUT_BYTES:,} bytes filled in",
        f"{edit.MAX_EDITABLE} values to change",
        f"at most {edit.MAX_EDITED_TEXT:,} characters, {edit.MAX_EDITED_BYTES:,} bytes together",
        f"at most {edit.MAX_CONTEXT_WITH_VALUES:,} bytes",
        f"up to {number.LARGEST:,}",
    ):
        assert said in limits
