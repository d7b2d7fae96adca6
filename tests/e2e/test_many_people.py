"""A crowd answers one request at once: each answer is committed or refused, and none is lost.

`HITL_CROWD=500` makes it 500 people, as many as one request takes: about 5 minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hitl_approval.domain.errors import Unavailable
from hitl_approval_cli.errors import CliError
from tests.deployed import Deploy

CROWD = [
    f"person-{number:03}@example.com" for number in range(int(os.environ.get("HITL_CROWD", "60")))
]
AT_ONCE = 16
"""Answers under way at any moment: each is a call of a function in a process of the local cloud."""
TRIES = 20
"""Of a person whose answer is refused for now."""


@pytest.mark.timeout(1_200)  # a call each, on a machine that others use too
def test_should_commit_or_refuse_each_answer_of_a_crowd(deploy: Deploy) -> None:
    live = deploy("app-crowd", quorum="everyone")
    started = live.submit(approvers=CROWD, timeout_seconds=3_600)
    approval_id = started["approval_id"]

    def answer(name: str) -> list[str]:
        """What became of each try."""
        became = []
        for _ in range(TRIES):
            try:  # an answer that botocore gives twice, since none came, counts once
                live.decide(approval_id, "approved", approver=name, comments=f"by {name}")
            except CliError as error:
                became.append(error.code)
                if error.code != Unavailable.code:
                    break
            else:
                return [*became, "committed"]
        return became

    with ThreadPoolExecutor(AT_ONCE) as people:
        became = list(people.map(answer, CROWD))

    assert {tries[-1] for tries in became} == {"committed"}
    assert Counter(code for tries in became for code in tries).keys() <= {
        "committed",
        Unavailable.code,
    }
    trail: Any = live.deployment.call({"action": "history", "approval_id": approval_id})
    assert trail["verified"], trail["findings"]
    votes = [event for event in trail["events"] if "decision" in event["details"]]
    assert sorted(event["actor"] for event in votes) == CROWD
    assert live.result(started["execution_arn"])["decision"] == "approved"
    shown = live.deployment.call({"action": "get", "approval_id": approval_id})
    assert len(shown["votes"]) == len(CROWD)
