"""`docs/reliability.md` names every promise that is checked, and no other; see `counts.py`."""

from __future__ import annotations

import re

from tests.docs.site import ROOT
from tests.faults.invariants import INVARIANTS

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_should_name_every_promise_that_is_checked() -> None:
    named = re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)
    assert named == [check.__name__ for check in INVARIANTS]
