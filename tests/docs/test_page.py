"""What `docs/page.md` shows is run, and its pictures are there and small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import assertions

DOCS = Path(__file__).parents[2] / "docs"
MAIL = (DOCS / "mail.md").read_text(encoding="utf-8")
INBOX = (DOCS / "inbox.md").read_text(encoding="utf-8")
PAGE = (DOCS / "page.md").read_text(encoding="utf-8")
FORMS = (DOCS / "forms.md").read_text(encoding="utf-8")
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")


def test_should_run_what_it_shows() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(block, shown)
    template = assertions.Template.from_stack(shown["stack"])
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Stage",
        {"DefaultRouteSettings": {"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5}},
    )


def test_should_show_small_pictures() -> None:
    shown = re.findall(r"\((screens/[\w-]+\.(?:png|svg))\)", PAGE + MAIL + INBOX + CLI + FORMS)
    assert {DOCS / name for name in shown} == set((DOCS / "screens").iterdir())
    for name in shown:
        assert (DOCS / name).stat().st_size < 130_000
