"""The staged failures by hand, to try with nothing but the docs.

`eval "$(hitl local env)"` comes first:

    python -m tests.e2e.staged_failures --deploy --stack operated
    python -m tests.e2e.staged_failures 3 --stack operated         # breaks it, says what is seen
    hitl doctor --stack operated                                   # from here on docs/runbook.md
    python -m tests.e2e.staged_failures 3 --stack operated --well  # 0 once it is well again
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import pytest

from hitl_approval_cli.commands.local.senders import verify_senders
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

from .failures import FAILURES, Failure
from .operated import ANN, BOB, PATIENCE, Operated, Words, deploy

ASKED_AGAIN = "20"
"""Seconds that `--well` waits: who asks can ask again."""


def main() -> int:
    """Stage a failure, or say whether it is well again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("number", type=int, nargs="?", choices=range(1, len(FAILURES) + 1))
    parser.add_argument("--stack", default="operated")
    parser.add_argument("--deploy", action="store_true")
    parser.add_argument("--well", action="store_true")
    asked = parser.parse_args()
    folder = Path(mkdtemp(prefix="operated-"))

    def again(people: Sequence[str]) -> None:
        deploy(asked.stack, people, folder, {})

    on = Operated(Deployment(asked.stack), again)
    if asked.deploy:
        again([ANN, BOB])
        verify_senders(os.environ, [asked.stack])
    if asked.number is None:
        return 0
    failure = FAILURES[asked.number - 1]
    kept = Path(gettempdir(), f"staged-{asked.stack}-{asked.number}.json")
    if asked.well:
        os.environ[PATIENCE] = ASKED_AGAIN
        well, said = is_well(failure, on, json.loads(kept.read_text(encoding="utf-8")))
        print(said)  # noqa: T201
        return 0 if well else 1
    kept.write_text(json.dumps(failure.stage(on)), encoding="utf-8")
    print(failure.symptom)  # noqa: T201
    return 0


def is_well(failure: Failure, on: Operated, words: Words) -> tuple[bool, str]:
    """Whether it is, and what to say of it."""
    try:
        well = failure.well(on, words)
    except (AssertionError, CliError, pytest.fail.Exception) as error:
        return False, f"not well yet: {error}"
    return well, "well again" if well else "not well yet"


if __name__ == "__main__":
    sys.exit(main())
