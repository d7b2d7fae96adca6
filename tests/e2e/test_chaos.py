"""The deployed stack under a crowd, under SIGKILL and over a restart of its cloud."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import Output
from hitl_approval.domain.audit import Head, verify
from hitl_approval_cli import cdk
from hitl_approval_cli.local import LocalCloud
from hitl_approval_cli.local.process import REGION
from tests.local.harness import Emulator, is_running, needs_proc

from .conftest import ROOT, Live, deploy_stack, eventually

logger = logging.getLogger(__name__)

CROWD = 200
WAITING = 50
AT_ONCE = 12
"""Twice as many as the local cloud runs at once: as many wait in line as are being answered."""
ROUNDS = 4
"""Rounds of SIGKILL, the restart in their middle. Each waits for answers, so that the deciders
get on, and comes while others are being answered."""
ANSWERS_PER_ROUND = 10
WORKFLOW_ROUNDS = 2
"""Rounds that take the workflow's workers too: the fifth invocation in a row that dies fails an
execution, in the engine of the local cloud."""
DECIDERS_PATIENCE = 180.0
RESUME_PATIENCE = 120.0
"""The next check repairs a lost callback, up to 61 s after the approval was requested."""

DECISIONS = ("approved", "rejected")


class Vote(NamedTuple):
    """What one person wants to say about one approval."""

    approval_id: str
    person: str
    decision: str


class Answer(NamedTuple):
    """What the approval function said at last."""

    vote: Vote
    status: int
    body: dict[str, Any]


@dataclass
class Crowd:
    """People who decide through the approval function, and try again as clients do.

    Attributes:
        answered: how many have been answered what became of their decision.
        retried: why the others tried again, and how often.
    """

    live: Live
    answered: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    again: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._function = self.live.deployment.output(Output.APPROVAL_API_FUNCTION_NAME)
        self._lambda = _client(_endpoint(self.live), "lambda")

    def decide(self, vote: Vote) -> Answer:
        deadline = time.monotonic() + DECIDERS_PATIENCE
        tries = 0
        while True:
            answer = self._try(vote)
            if isinstance(answer, Answer):
                with self._lock:
                    self.answered += 1
                    self.again += bool(tries and answer.body.get("already"))
                return answer
            with self._lock:
                self.retried[answer] += 1
            if time.monotonic() > deadline:
                pytest.fail(f"{vote} was not answered, at last: {answer}")
            time.sleep(random.uniform(0, min(1.0, 0.05 * 2**tries)))
            tries += 1

    def _try(self, vote: Vote) -> Answer | str:
        """The answer, or why there was none."""
        payload = {
            "action": "decide",
            "approval_id": vote.approval_id,
            "decision": vote.decision,
            "approver": vote.person,
            "comments": f"so says {vote.person}",
        }
        try:
            answer = self._lambda.invoke(
                FunctionName=self._function, Payload=json.dumps(payload).encode()
            )
            reply = json.loads(answer["Payload"].read())
        except (ConnectionError, HTTPClientError) as error:
            return type(error).__name__
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
            return str(error.response["Error"]["Code"])
        if "FunctionError" in answer:
            return str(reply.get("errorMessage", reply))
        body = json.loads(reply["body"])
        if reply["statusCode"] >= 500:
            return str(body["error"]["code"])
        return Answer(vote, reply["statusCode"], body)


@dataclass(frozen=True)
class Trail:
    """What is on record about one approval."""

    row: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, live: Live, approval_id: str) -> Trail:
        store = DynamoDbStore(
            client=_client(_endpoint(live), "dynamodb"),
            approvals_table=f"{live.stack}-ApprovalRequests",
            audit_table=live.deployment.output(Output.AUDIT_TABLE_NAME),
        )
        return cls(live.row(approval_id), store.history(approval_id))


def assert_decided_once(live: Live, execution_arn: str, answers: Sequence[Answer]) -> None:
    """One vote won; its row, the workflow's result, the audit and all the losers say so."""
    (winner,) = [answer for answer in answers if answer.status == 200]
    (approval_id,) = {answer.vote.approval_id for answer in answers}
    decided = {
        "status": winner.vote.decision,
        "decided_by": winner.vote.person,
        "decided_at": winner.body["decided_at"],
    }
    assert {name: winner.body[name] for name in decided} == decided
    for loser in answers:
        if loser is not winner:
            assert loser.status == 409, loser
            assert loser.body["error"]["code"] == "APPROVAL_ALREADY_DECIDED"
            assert loser.body["error"]["details"] == decided

    trail = Trail.read(live, approval_id)
    row = trail.row
    assert {name: row[name]["S"] for name in decided} == decided
    assert [vote["M"]["approver"]["S"] for vote in row["votes"]["L"]] == [winner.vote.person]

    body = live.result(execution_arn)
    assert body["decision"] == winner.vote.decision
    assert body["decided_by"] == winner.vote.person
    assert body["decided_at"] == decided["decided_at"]
    assert body["comments"] == row["comments"]["S"] == f"so says {winner.vote.person}"

    assert [event["event"] for event in trail.events] == ["requested", winner.vote.decision]
    last = trail.events[-1]
    assert (last["actor"], last["at"]) == (winner.vote.person, decided["decided_at"])
    assert last["details"]["decision"] == winner.vote.decision
    head = Head(int(row["audit_sequence"]["N"]), row["audit_hash"]["S"])
    assert verify(trail.events, head) == []


def test_should_let_one_of_200_deciders_win_and_tell_the_others_who(callback_live: Live) -> None:
    live = callback_live
    started = live.submit()
    crowd = Crowd(live)
    votes = [Vote(started["approval_id"], f"person-{n}", DECISIONS[n % 2]) for n in range(CROWD)]
    began = time.monotonic()
    together = threading.Barrier(CROWD)

    def decide(vote: Vote) -> Answer:
        together.wait()
        return crowd.decide(vote)

    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(decide, votes))
    seconds = time.monotonic() - began
    logger.info("%d answered in %.1f s, tried again: %s", CROWD, seconds, dict(crowd.retried))

    assert Counter(answer.status for answer in answers) == {200: 1, 409: CROWD - 1}
    assert_decided_once(live, started["execution_arn"], answers)


@dataclass
class OwnCloud:
    """A cloud with state, which can be started again where it was."""

    folder: Path
    running: LocalCloud

    @classmethod
    def start(cls, folder: Path) -> OwnCloud:
        return cls(folder, cls._start(folder, None))

    @staticmethod
    def _start(folder: Path, port: int | None) -> LocalCloud:
        return LocalCloud.start(port=port, state_dir=folder / "state", log_file=folder / "log")

    def restart(self) -> None:
        self.running.stop()
        self.running = self._start(self.folder, urlsplit(self.running.endpoint_url).port)

    def workers(self) -> dict[int, str]:
        """The processes that run functions, and which function each is for."""
        running = self.running
        found = {
            pid: _variable(pid, "AWS_LAMBDA_FUNCTION_NAME")
            for pid in Emulator(running.endpoint_url, running.pid).children()
        }
        return {pid: name for pid, name in found.items() if name}

    def kill_workers(self, *functions: str) -> int:
        """End processes as the kernel does when memory is short, at work or just starting."""
        chosen = [pid for pid, name in self.workers().items() if name in functions]
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
        return len(chosen)


@pytest.fixture
def own_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnCloud]:
    own = OwnCloud.start(tmp_path)
    for name, value in own.running.environment().items():
        monkeypatch.setenv(name, value)
    try:
        cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, own.running.environment()))
        yield own
        left = own.workers()
    finally:
        own.running.stop()
    assert not [pid for pid in left if is_running(pid)]


@needs_proc
def test_should_decide_and_resume_each_of_50_once_while_workers_and_cloud_go_down(
    own_cloud: OwnCloud, tmp_path: Path
) -> None:
    live = deploy_stack(own_cloud.running, "app-chaos", tmp_path / "cdk.out", resume="callback")
    approval_function = live.deployment.output(Output.APPROVAL_API_FUNCTION_NAME)
    workflow_function = _function_name(live.deployment.output(Output.WORKFLOW_FUNCTION_ARN))
    arns = _submit_all(live)
    votes = [
        Vote(approval_id, f"{decision}-{n}", decision)
        for n, approval_id in enumerate(arns)
        for decision in DECISIONS
    ]
    random.shuffle(votes)
    crowd = Crowd(live)
    began = time.monotonic()
    kills = Counter[str]()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answering = [pool.submit(crowd.decide, vote) for vote in votes]
        for number in range(ROUNDS):
            _await_answers(crowd, (number + 1) * ANSWERS_PER_ROUND, answering)
            if number == ROUNDS // 2:
                own_cloud.restart()
            kills["decision"] += own_cloud.kill_workers(approval_function)
            if number % (ROUNDS // WORKFLOW_ROUNDS) == 0:
                kills["workflow"] += own_cloud.kill_workers(workflow_function)
        answers = [future.result() for future in answering]
    decided = time.monotonic() - began
    eventually(lambda: not _running(live), "end of all workflows", RESUME_PATIENCE)
    logger.info(
        "kills: %s, tried again: %s, committed before they died: %d; decided in %.1f s, resumed in "
        "%.1f s",
        dict(kills),
        dict(crowd.retried),
        crowd.again,
        decided,
        time.monotonic() - began,
    )
    assert crowd.retried["Worker process died"] > 0
    for approval_id, arn in arns.items():
        own = [answer for answer in answers if answer.vote.approval_id == approval_id]
        assert_decided_once(live, arn, own)
    assert len(_statuses(live)) == WAITING


def _submit_all(live: Live) -> dict[str, str]:
    """Start the workflows and wait until all approvals wait; the executions by approval."""
    document = {"document_id": "doc-1", "document_name": "Chaos", "requester": "rita"}
    started = [live.deployment.submit(document) for _ in range(WAITING)]
    eventually(lambda: _statuses(live) == ["pending"] * WAITING, f"{WAITING} waiting approvals")
    return {each["approval_id"]: each["execution_arn"] for each in started}


def _await_answers(crowd: Crowd, wanted: int, answering: Sequence[Future[Answer]]) -> None:
    def enough() -> bool:
        for future in answering:
            if future.done():
                future.result()  # a decider that has failed ends the wait with its own error
        return crowd.answered >= wanted

    eventually(enough, f"{wanted} answers", DECIDERS_PATIENCE)


def _statuses(live: Live) -> list[str]:
    pages = _client(_endpoint(live), "dynamodb").get_paginator("scan")
    table = f"{live.stack}-ApprovalRequests"
    return [
        item["status"]["S"]
        for page in pages.paginate(TableName=table, ConsistentRead=True)
        for item in page["Items"]
    ]


def _running(live: Live) -> list[Any]:
    answer = _client(_endpoint(live), "lambda").list_durable_executions_by_function(
        FunctionName=live.deployment.output(Output.WORKFLOW_FUNCTION_ARN), Statuses=["RUNNING"]
    )
    return list(answer["DurableExecutions"])


def _endpoint(live: Live) -> str:
    return str(live.deployment.endpoint_url)


def _function_name(arn: str) -> str:
    return arn.split(":")[6]


def _variable(pid: int, name: str) -> str | None:
    """A variable in the environment of a process; None when it has none or has ended."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    except OSError:
        return None
    return next((v.partition("=")[2] for v in variables if v.startswith(f"{name}=")), None)


@cache
def _client(endpoint_url: str, service: str) -> Any:
    """A client for many threads, which leaves retries to its callers."""
    # A session of its own: the default one remembers the profiles of whichever test used it first.
    make: Any = boto3.Session().client
    return make(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url,
        config=Config(
            max_pool_connections=CROWD, read_timeout=60, retries={"total_max_attempts": 1}
        ),
    )
