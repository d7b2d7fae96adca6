"""Each gap of the processes is still there in stock ministack, and closed in ours.

As in `test_gaps.py`: where the stock half fails, the function of the same name can go.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from hitl_approval_cli.local.functions import MAX_RUNNING
from hitl_approval_cli.local.workers import MAX_WARM, to_end
from tests.local.harness import Emulator, eventually, needs_proc

MANY = MAX_RUNNING + 1


@needs_proc
def test_bound_warm_processes(stock: Emulator, cloud: Emulator) -> None:
    def used_and_kept(emulator: Emulator) -> tuple[int, int]:
        """How many processes run one function, and how many are left after several functions."""
        used = 0
        for _ in range(MAX_WARM // MAX_RUNNING + 1):
            function = emulator.deploy("plain.handler")
            with ThreadPoolExecutor(MANY) as pool:
                answers = list(pool.map(function.invoke, [{"sleep": 0.5}] * MANY))
            used = max(used, len({answer["Payload"]["pid"] for answer in answers}))
        return used, len(emulator.children())

    used, kept = used_and_kept(stock)
    assert used > MAX_RUNNING
    assert kept > MAX_WARM
    used, kept = used_and_kept(cloud)
    assert used <= MAX_RUNNING
    assert kept <= MAX_WARM


def _process(last_used: float, *, in_use: bool = False) -> Any:
    return SimpleNamespace(last_used=last_used, in_use=in_use)


def test_should_end_a_crowd_before_the_last_process_of_a_function() -> None:
    quiet = [_process(1)]
    crowd = [_process(10 + number) for number in range(MAX_WARM)]
    at_work = [_process(0, in_use=True)]
    ended = to_end({"quiet": quiet, "crowd": crowd, "at work": at_work})
    assert ended == [(crowd[0], crowd), (crowd[1], crowd)]


def test_should_end_the_functions_unused_for_longest_when_each_has_one_process() -> None:
    pools = {str(number): [_process(number)] for number in range(MAX_WARM + 2)}
    assert to_end(pools) == [(pools["0"][0], pools["0"]), (pools["1"][0], pools["1"])]


def test_should_end_no_process_that_is_at_work() -> None:
    assert to_end({"all": [_process(n, in_use=True) for n in range(MAX_WARM + 3)]}) == []


@needs_proc
def test_let_processes_fail_alone(stock: Emulator, cloud: Emulator) -> None:
    def survives(emulator: Emulator) -> bool:
        """Whether an invocation at work survives that another one's process dies at its start."""
        function = emulator.deploy("plain.handler")
        before = set(emulator.children())
        with ThreadPoolExecutor(2) as pool:
            at_work = pool.submit(function.invoke, {"sleep": 3})
            (first,) = eventually(lambda: set(emulator.children()) - before, "first process")
            time.sleep(0.5)
            pool.submit(function.invoke, {"sleep": 3})
            new = eventually(lambda: set(emulator.children()) - before - {first}, "second process")
            os.kill(new.pop(), signal.SIGKILL)
            return "FunctionError" not in at_work.result()

    assert not survives(stock)
    assert survives(cloud)


def test_answer_without_waiting_for_logs(stock: Emulator, cloud: Emulator) -> None:
    def quickest(emulator: Emulator) -> float:
        function = emulator.deploy("plain.handler")
        durations = []
        for _ in range(10):
            began = time.perf_counter()
            function.invoke({})
            durations.append(time.perf_counter() - began)
        return min(durations)

    assert quickest(stock) > 0.05
    assert quickest(cloud) < 0.05


def test_hide_own_packages(stock: Emulator, cloud: Emulator) -> None:
    def fails_to_import(emulator: Emulator, module: str) -> bool:
        answer = emulator.deploy("plain.handler").invoke({"import": module})
        return "FunctionError" in answer

    assert not fails_to_import(stock, "hypercorn")
    assert fails_to_import(cloud, "hypercorn")
    assert fails_to_import(cloud, "hitl_approval")
    assert not fails_to_import(cloud, "boto3")


def test_share_unpacked_code(stock: Emulator, cloud: Emulator) -> None:
    def compiled(emulator: Emulator) -> list[str]:
        """Where two functions of the same bundle keep their compiled code."""
        functions = [emulator.deploy("plain.handler") for _ in range(2)]
        return [function.invoke({})["Payload"]["compiled"] for function in functions]

    first, second = compiled(stock)
    assert first != second
    first, second = compiled(cloud)
    assert first == second
    assert os.path.exists(first)  # noqa: PTH110  a path of another process's


def test_should_tell_bundles_apart(cloud: Emulator) -> None:
    functions = [cloud.deploy("plain.handler", version=version) for version in ("one", "two")]
    versions = [
        function.invoke({"read": "version.txt"})["Payload"]["read"] for function in functions
    ]
    assert versions == ["one", "two"]
