"""One schedule of a small world: actors that pass one baton, a virtual clock, and AWS in memory.

Exactly one actor runs at a time. It gives the baton away only where it touches something that
others can see: before an AWS call, a checkpoint, or when it waits. Who goes on, and what becomes
of the call, are choices; a schedule is the list of them. Time moves only when every actor waits.

A call's failure is what our code sees after botocore's own retries: they lie below the seam at
which AWS is replaced (`BaseClient._make_api_call`) and so never run here. What they can do to a
service is a choice of its own: `twice` is the retry of a call whose first reply was lost, with
the idempotency token that botocore sends with it; the code gets the second reply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.faults.cooperative import GreenletExit, Lock, Task
from tests.faults.dynamodb import Write, cancelled, client_error

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNAWAY = 3_000
"""Steps after which a schedule is given up as endless."""
Footprint = frozenset[tuple[str, bool]]
"""What a step touches that others can see: names, and whether it changes them."""
NOTHING: Footprint = frozenset()
COMPLETE_CALLBACK = "SendDurableExecutionCallback"
ROW = "row "
EVERY = "*"
"""In a footprint: everything of a kind, `row *`, which is what an index touches."""
EVERY_ROW = f"{ROW}{EVERY}"


Place = tuple[str, str, int]
"""An actor, an AWS call, and how many of them this actor has made before."""


class Killed(BaseException):
    """This process is dead: nothing of it may catch this."""


class ProcessDied(Exception):  # noqa: N818  the SDK's checkpoint thread survives errors only
    """The same, in the SDK's checkpoint thread, which must be left to release the other one."""


class Pruned(Exception):  # noqa: N818  not an error: this schedule equals one already seen
    """Nothing new can follow from here."""


class Nondeterminism(Exception):  # noqa: N818
    """The same choices led elsewhere than before: the harness or the code draws lots."""


class Chooser(Protocol):
    """Decides what a schedule leaves open."""

    def choose(self, number: int, options: Sequence[str]) -> int:
        """The index of one option; the first is the calm one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far schedules may stray.

    Attributes:
        faults: how many calls may go wrong.
        preemptions: how often an actor that could go on has to wait for another; None for any
            number, in which case schedules that differ only in the order of steps that do not
            touch each other are run once (sleep sets).
        kinds: which faults; empty for all.
        reduce: whether to leave out equal schedules; random and replayed ones do not.
    """

    faults: int = 0
    preemptions: int | None = None
    kinds: frozenset[str] = frozenset()
    reduce: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call: what it touches, what it does, how it can go wrong."""

    label: str
    footprint: Footprint
    apply: Callable[[str], Any]
    faults: tuple[str, ...]
    checkpoint: bool = False
    own: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """Faults that only this call can meet, and what it does and answers then."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A call that went wrong, whose, and after how many steps."""

    actor: str
    request: int
    label: str
    footprint: Footprint
    fault: str
    step: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """A write, by whom, in which of their requests, when, and after how many steps."""

    write: Write
    actor: str
    request: int
    at: datetime
    step: int


class Actor:
    """Acts in the world while it holds the baton."""

    def __init__(
        self,
        world: World,
        name: str,
        body: Callable[[Actor], None],
        *,
        skew: timedelta = timedelta(0),
        latency: timedelta = timedelta(0),
    ) -> None:
        self.world = world
        self.name = name
        self.skew = skew
        self.latency = latency
        self.alive = True
        self.done = False
        self.request = 0
        self.pending: Footprint | None = NOTHING
        self.ready: Callable[[], bool] | None = None
        self.due_at: Callable[[], datetime | None] = _never
        self.baton = Lock()
        self.baton.acquire()
        self._body = body
        self.task = Task(self._run)

    @property
    def enabled(self) -> bool:
        if self.done:
            return False
        if self.pending is not None:
            return True
        due = self.due_at()
        return (due is not None and due <= self.world.now) or (
            self.ready is not None and self.ready()
        )

    @property
    def footprint(self) -> Footprint:
        return self.pending if self.pending is not None else NOTHING

    def now(self) -> datetime:
        return self.world.now + self.skew

    def start_process(self) -> None:
        """A new process of the same function: it remembers nothing, and it lives."""
        self.alive = True
        self.request += 1

    def point(self, footprint: Footprint) -> None:
        """Wait for the turn to do something others can see."""
        self.pending = footprint
        self.world.pass_baton(self)
        self.pending = None
        self.world.executed(footprint)

    def wait(
        self,
        ready: Callable[[], bool] | None = None,
        until: Callable[[], datetime | None] | None = None,
    ) -> None:
        """Wait until something is so, or until a time; for ever, if neither comes."""
        self.pending, self.ready, self.due_at = None, ready, until or _never
        self.world.pass_baton(self)
        self.ready, self.due_at = None, _never

    def sleep(self, duration: timedelta) -> None:
        self.sleep_until(self.world.now + duration)

    def sleep_until(self, moment: datetime) -> None:
        self.wait(until=lambda: moment)

    def _run(self) -> None:
        self.baton.acquire()
        try:
            if not self.world.over:
                self.pending = None
                self._body(self)
        except (Killed, ProcessDied):
            pass
        except GreenletExit:  # its world was made and never run
            return
        except BaseException as error:  # noqa: BLE001  kept for who runs the world
            self.world.errors.append(error)
        self.done = True
        if not self.world.over:
            self.world.pass_baton(None)


@dataclass
class World:
    """What one schedule runs in, and what is known of it afterwards."""

    chooser: Chooser
    bounds: Bounds
    now: datetime = START
    over: bool = False
    actors: list[Actor] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    steps: list[str] = field(default_factory=list)
    writes: list[Wrote] = field(default_factory=list)
    metrics: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """What was counted, by actor, request and metric."""
    struck: set[tuple[str, int]] = field(default_factory=set)
    """Whose requests met a fault."""
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    frozen_until: Callable[[], datetime] = lambda: START
    storm: int = 0
    """Transactions that are still to meet a conflict."""
    deaf: int = 0
    """Completions of callbacks that are to fail."""
    vain: int = 0
    """Those that were."""
    pruned: bool = False
    incidents: list[Incident] = field(default_factory=list)
    calls: list[tuple[Place, tuple[str, ...], str]] = field(default_factory=list)
    """Where each call was made, how it could have gone wrong, and what became of it."""

    def __post_init__(self) -> None:
        self.current: Actor | None = None
        self._decisions = 0
        self._made: Counter[tuple[str, str]] = Counter()
        self._tokens = 0
        self._preempted = 0
        self._sleeping: set[Actor] = set()
        self._finished = Lock()
        self._finished.acquire()

    def add(self, name: str, body: Callable[[Actor], None], **options: timedelta) -> Actor:
        actor = Actor(self, name, body, **options)
        self.actors.append(actor)
        return actor

    def run(self) -> None:
        """Let the actors act until none can."""
        self.pass_baton(None)
        self._finished.acquire()
        for actor in self.actors:  # whoever still waits leaves, one after the other
            if not actor.done:
                actor.alive = False
                actor.baton.release()
            actor.task.join()
        for error in self.errors:
            raise error

    # The turn

    def pass_baton(self, me: Actor | None) -> None:
        """Give the turn to whoever is chosen; returns when it is this actor's again."""
        try:
            chosen = self._pick(me)
        except Pruned:
            self.pruned = True
            chosen = None
        except Exception as error:  # noqa: BLE001  kept for who runs the world
            self.errors.append(error)
            chosen = None
        if chosen is None:
            self.over = True
            self._finished.release()
        elif chosen is me:
            return
        else:
            self.current = chosen
            chosen.baton.release()
        if me is None:
            return
        me.baton.acquire()
        if self.over:
            raise Killed

    def _pick(self, me: Actor | None) -> Actor | None:
        while not (enabled := [actor for actor in self.actors if actor.enabled]):
            moments = [due for a in self.actors if not a.done and (due := a.due_at())]
            if not moments:
                return None
            self.now = min(moments)
        for actor in enabled:  # touches nothing of the others: when it is done makes no difference
            if not actor.footprint:
                return actor
        going_on = me is not None and me in enabled
        if going_on:
            enabled.remove(me)  # type: ignore[arg-type]  # it is there
            enabled.insert(0, me)  # type: ignore[arg-type]
        options = enabled
        limit = self.bounds.preemptions
        if limit is None:
            options = [a for a in enabled if a not in self._sleeping]
            if not options:
                raise Pruned
        elif going_on and self._preempted >= limit:
            options = enabled[:1]
        chosen = options[self._choose([a.name for a in enabled], [a.name for a in options])]
        if limit is None and self.bounds.reduce:
            self._sleeping.update(options[: options.index(chosen)])
        if going_on and chosen is not me:
            self._preempted += 1
        return chosen

    def executed(self, footprint: Footprint) -> None:
        """Whoever touches the same things is worth another run."""
        if self._sleeping:
            self._sleeping = {a for a in self._sleeping if not _meet(a.footprint, footprint)}

    def _choose(self, known: Sequence[str], options: Sequence[str]) -> int:
        """One of the options; `known` are all of them, which a replay counts and names."""
        if len(known) == 1:
            return 0
        self._decisions += 1
        if self._decisions > RUNAWAY:
            raise RuntimeError("this schedule does not end")
        index = self.chooser.choose(self._decisions, options) if len(options) > 1 else 0
        if not 0 <= index < len(options):
            raise Nondeterminism(f"decision {self._decisions}: {options}")
        if options[index] != known[0]:
            self.trail.append(f"{self._decisions}={options[index]}")
        return index

    def outcome(self, faults: Sequence[str]) -> str:
        """What becomes of a call: `ok` or one of the faults."""
        kinds = self.bounds.kinds
        known = ["ok", *faults]
        left = self.bounds.faults - self.faults.total()
        options = ["ok", *(f for f in faults if not kinds or f in kinds)] if left > 0 else ["ok"]
        chosen = options[self._choose(known, options)]
        if chosen != "ok":
            self.faults[chosen] += 1
            if self.current is not None:
                self.struck.add((self.current.name, self.current.request))
        return chosen

    # AWS

    def call(self, call: Call) -> Any:
        """One AWS call of the actor whose turn it is."""
        me = self._me(call)
        if me.latency:
            self._at(call, lambda: me.sleep(me.latency))
        self._at(call, lambda: me.point(call.footprint))
        place = (me.name, call.label, self._made[me.name, call.label])
        self._made[me.name, call.label] += 1
        if (outcome := self._fate(call)) is None:
            outcome = self.outcome(call.faults)
            self.calls.append((place, call.faults, outcome))
        self.steps.append(f"{me.now():%H:%M:%S} {me.name}: {call.label}: {outcome}")
        if outcome != "ok":
            self.incidents.append(
                Incident(me.name, me.request, call.label, call.footprint, outcome, len(self.steps))
            )
        self._tokens += 1
        token = f"token-{self._tokens}"
        match outcome:
            case "ok":
                return call.apply(token)
            case "fail":
                raise client_error(call.label, "InternalServerError", 500)
            case "lost":
                with suppress(ClientError):
                    call.apply(token)
                raise ReadTimeoutError(endpoint_url="https://simulated")
            case "twice":
                with suppress(ClientError):
                    call.apply(token)
                return call.apply(token)
            case "echo":
                self.add(f"echo-{len(self.actors)}", lambda echo: _again(echo, call, token))
                return call.apply(token)
            case "conflict":
                raise _conflict(call.label)
            case "slow":
                self._at(call, lambda: me.sleep_until(self.frozen_until()))
                self._at(call, lambda: me.point(call.footprint))
                return call.apply(token)
            case own if own in call.own:
                return call.own[own]()
            case "dies-after":
                with suppress(ClientError):
                    call.apply(token)
        me.alive = False
        raise ProcessDied if call.checkpoint else Killed

    def die(self) -> None:
        """The process whose turn it is dies here."""
        assert self.current is not None
        self.current.alive = False
        raise Killed

    def _fate(self, call: Call) -> str | None:
        """What the scenario has laid down for this call."""
        if self.storm and "conflict" in call.faults and call.label.startswith("Transact"):
            self.storm -= 1
            return "conflict"
        if self.vain < self.deaf and call.label == COMPLETE_CALLBACK:
            self.vain += 1
            return "fail"
        return None

    def _me(self, call: Call) -> Actor:
        me = self.current
        if me is None or self.over or not me.alive:
            raise ProcessDied if call.checkpoint else Killed
        return me

    def _at(self, call: Call, wait: Callable[[], None]) -> None:
        try:
            wait()
        except Killed:
            if call.checkpoint:
                raise ProcessDied from None
            raise

    def wrote(self, write: Write) -> None:
        me = self.current
        name, request = (me.name, me.request) if me else ("before", 0)
        self.writes.append(Wrote(write, name, request, self.now, len(self.steps)))


def _never() -> None:
    return None


def _again(echo: Actor, call: Call, token: str) -> None:
    echo.point(call.footprint)
    with suppress(ClientError):
        call.apply(token)


def _conflict(label: str) -> ClientError:
    if label.startswith("Transact"):
        return cancelled([{"Code": "TransactionConflict"}, {"Code": "None"}])
    return client_error(label, "TransactionConflictException", 400)


def _meet(one: Footprint, other: Footprint) -> bool:
    return any((x or y) and _same(a, b) for a, x in one for b, y in other)


def _same(one: str, other: str) -> bool:
    return one == other or _covers(one, other) or _covers(other, one)


def _covers(one: str, other: str) -> bool:
    return one.endswith(EVERY) and other.startswith(one.removesuffix(EVERY))
