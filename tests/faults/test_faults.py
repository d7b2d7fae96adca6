"""Nothing lost, nothing doubled, nothing fails open: over every schedule of the quick tier.

What that tier covers and where it is bounded is said in `tiers.py`. A failure prints the choices
that lead to it, as `make faults REPLAY=<scenario>:<choices>` runs them again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.faults.coverage import Coverage
from tests.faults.deployment import Deployment
from tests.faults.explore import every, randomly, replay
from tests.faults.invariants import INVARIANTS, violations
from tests.faults.pattern_rebuild import PATTERN
from tests.faults.sabotage import CASES, Case
from tests.faults.scenarios import SCENARIOS
from tests.faults.seams import simulated
from tests.faults.simulator import Bounds
from tests.faults.tiers import quick


@pytest.fixture(autouse=True)
def world() -> Iterator[None]:
    with simulated():
        yield


@pytest.fixture(scope="module")
def explored(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Schedules by scenario; their number is printed at the end."""
    counts: Counter[str] = Counter()
    yield counts
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\nfaults: {counts.total():,} schedules of {len(counts)} scenarios")  # noqa: T201


@pytest.mark.parametrize("name", SCENARIOS)
def test_should_keep_every_promise(name: str, explored: Counter[str]) -> None:
    for bounds in quick(SCENARIOS[name]):
        coverage = Coverage()
        for deployment in every(SCENARIOS[name].run, bounds):
            explored[name] += 1
            coverage.add(deployment)
            if broken := violations(deployment):
                choices = ",".join(deployment.world.trail)
                story = "\n".join([*broken, *deployment.world.steps])
                pytest.fail(f"make faults REPLAY={name}:{choices}\n{story}")
        if bounds.faults:
            assert coverage.met, "no call of this scenario can go wrong"
            assert not coverage.missed, "faults that no schedule has tried"


def test_should_see_that_the_public_pattern_breaks_its_promises() -> None:
    seen: Counter[str] = Counter()
    for scenario in PATTERN.values():
        for deployment in every(scenario.run, Bounds(faults=1, preemptions=1)):
            seen.update({line.partition(":")[0] for line in violations(deployment)})

    assert seen["one_terminal_status"] > 300  # a second opposite decision overwrites the first
    assert seen["nothing_answered_is_lost"] > 250  # a decision answered with 200 becomes another
    assert seen["all_agree"] > 180  # the workflow says one thing, the row another
    assert seen["notified_once"] > 30  # a repeated step draws another id: two rows, two messages


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_should_see_what_is_broken_on_purpose(case: Case) -> None:
    with case.sabotage():
        for deployment in every(SCENARIOS[case.scenario].run, case.bounds):
            if any(line.startswith(f"{case.broken}:") for line in violations(deployment)):
                return
    pytest.fail(f"{case.name} was not seen to break {case.broken}")


def test_should_break_every_promise_on_purpose_at_least_once() -> None:
    assert {case.broken for case in CASES} == {check.__name__ for check in INVARIANTS}


@pytest.mark.parametrize(
    ("name", "steps"),
    [("approve", {"create", "notify", "check"}), ("approve-polling", {"token", "create", "poll"})],
)
def test_should_let_a_process_die_between_a_steps_start_and_its_body(
    name: str, steps: set[str]
) -> None:
    started: set[str] = set()
    only = Bounds(faults=1, preemptions=0, kinds=frozenset({"dies-started"}))
    for deployment in every(SCENARIOS[name].run, only):
        if deployment.world.faults:
            (alone,) = re.findall(
                r"Checkpoint document\.([a-z]+)\.START: ok", "\n".join(deployment.world.steps)
            )
            started.add(alone)

    assert started >= steps


@pytest.mark.parametrize("name", ["approve", "late-approve", "cancel-polling"])
def test_should_leave_out_equal_schedules_only(name: str) -> None:
    run = SCENARIOS[name].run
    reduced = Counter(map(_end, every(run, Bounds())))
    whole = Counter(map(_end, every(run, Bounds(reduce=False))))

    assert reduced.keys() == whole.keys()
    assert reduced.total() < whole.total()


def _end(deployment: Deployment) -> str:
    """Everything that anybody can tell of a schedule afterwards, but for its order."""
    rows = deployment.rows()
    executions = deployment.durable.executions.values()
    answers = [(a.actor, a.request, a.status, sorted(a.body.items())) for a in deployment.answers]
    return repr(
        [
            sorted(
                (row["status"], row["version"], str(row.get("decided_by"))) for row in rows.values()
            ),
            [[e["event"] for e in deployment.events(approval_id)] for approval_id in rows],
            [execution.result and execution.result.result for execution in executions],
            sorted(answers, key=str),
            len(deployment.world.messages),
        ]
    )


def test_should_run_a_list_of_choices_again() -> None:
    scenario = SCENARIOS["opposite"]
    for deployment in list(every(scenario.run, Bounds(faults=1, preemptions=0)))[::20]:
        again = replay(scenario.run, ",".join(deployment.world.trail))

        assert again.world.steps == deployment.world.steps
        assert again.world.trail == deployment.world.trail


def test_should_run_a_random_schedule_again_from_its_choices() -> None:
    scenario = SCENARIOS["quorum"]
    for seed in range(10):
        deployment = randomly(scenario.run, seed, faults=5)
        again = replay(scenario.run, ",".join(deployment.world.trail))

        assert again.world.steps == deployment.world.steps
