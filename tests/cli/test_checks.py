"""One check: what may not be read is unknown, what refuses is wrong."""

from __future__ import annotations

import pytest

from hitl_approval_cli.checks import Check, check
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, NotPermittedError


def test_should_say_what_was_found() -> None:
    found = check("page", Deployment("stack"), lambda _: ("ok", "answers", ""))
    assert found == Check("page", "ok", "answers")


@pytest.mark.parametrize(
    ("error", "state"),
    [(CliError("it refuses"), "wrong"), (NotPermittedError("it refuses"), "unknown")],
)
def test_should_tell_what_refuses_from_what_may_not_be_read(error: CliError, state: str) -> None:
    def examine(_: Deployment) -> tuple[str, str, str]:
        raise error

    found = check("page", Deployment("stack"), examine)  # type: ignore[arg-type]
    assert (found.state, found.found) == (state, "it refuses")
    assert bool(found.fix) is (state == "unknown")
