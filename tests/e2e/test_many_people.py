"""500 people answer one request at once: each answer is committed or refused, and none is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hitl_approval.domain.errors import Unavailable
from hitl_approval_cli.errors import CliError
from tests.deployed import Deploy

CROWD = [f"person-{number:03}@example.com" for number in range(500)]
AT_ONCE = 16
"""Answers under way at any moment: each is a call of a function in a process of the local cloud."""
TRIES = 20
"""Of a person whose answer is refused for now."""


def test_should_commit_or_refuse_each_of_500_answers(deploy: Deploy) -> None:
    live = deploy("app-crowd", quorum="everyone")
    started = live.submit(approvers=CROWD, timeout_seconds=3_600)
    approval_id = started["approval_id"]

    def answer(name: str) -> list[str]:
        """What became of each try."""
        became = []
        for _ in range(TRIES):
            try:
                said = live.decide(approval_id, "approved", approver=name, comments=f"by {name}")
            except CliError as error:
                became.append(error.code)
                if error.code != Unavailable.code:
                    break
            else:
                assert said["already"] is False or Unavailable.code in became
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
