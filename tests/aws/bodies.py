"""Bodies of `tests/e2e` that need nothing local, as `tests.aws` runs them: by what each tries."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from tests.deployed import Live, eventually
from tests.e2e import test_cli_examples as examples
from tests.e2e import test_embedded as embedded
from tests.e2e import test_one_approval as one_approval
from tests.e2e import test_public_pattern as pattern
from tests.e2e import test_state_machine as machine
from tests.e2e import test_sweep as sweeping
from tests.e2e.embedding import EmbeddingApp

Body = Callable[[Live], object]
AppBody = Callable[[EmbeddingApp], object]
LARGE: Final = 300
"""Kilobytes of a step's result: botocore's model allows a step 1 MB, the SDK 256 KB."""


def _decided(decision: str) -> Body:
    body = one_approval.test_should_carry_a_decision_to_the_row_the_result_and_the_audit
    return lambda live: body(live, decision)


def _garbage(live: Live) -> None:
    body = one_approval.test_should_approve_nothing_when_a_callback_brings_garbage
    body(live, b'{"decision": "approved"}')


def _pattern(live: Live) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shell = pattern.session(live, os.environ, Path(folder))
        pattern.test_should_run_the_patterns_commands_from_start_to_end(shell, live, Path(folder))


def _example(words: str, example: str, live: Live) -> None:
    with tempfile.TemporaryDirectory() as folder:
        typed = examples.terminal(Path(folder))
        body = examples.test_should_do_what_its_help_shows
        body(live, typed, Path(folder), words, example)


ON_THE_STACK: Mapping[str, Body] = {
    "an approval": _decided("approved"),
    "a rejection": _decided("rejected"),
    "a timeout": one_approval.test_should_write_a_timeout_to_the_row_and_the_result,
    "a withdrawal": one_approval.test_should_end_with_a_cancellation,
    "a start twice": one_approval.test_should_start_one_workflow_when_the_start_is_delivered_twice,
    "garbage by callback": _garbage,
    "an invalid start": one_approval.test_should_fail_an_invalid_start_before_any_row_or_message,
    "a refusal": one_approval.test_should_refuse_with_a_code_over_the_wire,
    "a stopped workflow": sweeping.test_should_find_once_a_decision_whose_workflow_was_stopped,
    "an overdue request": sweeping.test_should_close_a_request_whose_workflow_was_stopped,
    "a lost callback": sweeping.test_should_resume_a_workflow_that_was_not_resumed,
    "the public pattern": _pattern,
    **{
        f"`{example}`": partial(_example, words, example)
        for words, example in examples.OF_A_DEPLOYMENT
    },
}
"""Of the deployable app's own stack."""


def large_step(app: EmbeddingApp) -> str:
    """What becomes of a step whose result is larger than the SDK says that it may be."""
    arn = app.start(app.output("RefundArn"), {"kilobytes": LARGE})

    def ended() -> str | None:
        status = str(app.deployment("Payments").outcome(arn)["Status"])
        return None if status == "RUNNING" else status

    return f"a result of {LARGE} KB: {eventually(ended, 'end of the large step')}"


APPS: Mapping[Path, Mapping[str, AppBody]] = {
    embedded.APP: {
        "functions of an app": (
            embedded.test_should_wait_in_each_function_by_its_own_deployments_rules
        ),
        "silence as a rejection": (
            embedded.test_should_take_silence_for_a_rejection_where_that_is_the_rule
        ),
        "a large step": large_step,
    },
    machine.APP: {
        "a state machine, approved": lambda app: machine.test_should_go_on_by_the_answer(
            app, "approved", "paid"
        ),
        "a state machine, rejected": lambda app: machine.test_should_go_on_by_the_answer(
            app, "rejected", "kept"
        ),
        "a form in a state machine": (
            machine.test_should_go_on_with_what_an_approver_filled_in_and_changed
        ),
        "a state that fails": machine.test_should_fail_the_state_when_nothing_can_be_asked,
    },
}
"""Of apps with a stack of their own: the script, and what is tried there."""
