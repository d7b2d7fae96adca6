"""The services in any order of calls, conflicts, crashes and lost replies, against a simple model.

The model is a dictionary's worth of state and shares no code with the product. After each call the
row, the trail and the callbacks that were completed are what the model says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import AlreadyDecided, ApprovalError, InvalidRequest, Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.values import Values
from hitl_approval.ports.outside import Completed
from hitl_approval.testing import (
    FakeExecutions,
    FixedClock,
    InMemoryStore,
    RecordingCallbackClient,
    RecordingMeter,
    RecordingNotifier,
)
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.request import RequestService, ResolvedRequest
from hitl_approval.usecases.sweep import SweepService
from tests.anything import any_request

MINUTE = timedelta(minutes=1)
TIMEOUT = 600 * MINUTE
GRACE = 5 * MINUTE
REQUESTER = "rita"
NAMED = ("alice", "bob", "carol")
APPROVERS = ["alice", "bob", "carol", "ALICE", " bob"]
PEOPLE = st.sampled_from([*APPROVERS, *APPROVERS, "rita", "Rita", "mallory", "dee", "Dee"])
DECISIONS = st.sampled_from(["approved", "approved", "approved", "rejected"])


@dataclass(frozen=True)
class Rules:
    """A policy, and in plain numbers what it amounts to."""

    approvers: tuple[str, ...]
    policy: Policy
    approvals: int
    rejections: int
    stages: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Who is asked after the first, and how many of them must approve."""
    escalation: tuple[timedelta, str, bool] | None = None
    """After how long who is asked as well, or instead."""
    editable: bool = False
    """Whether an approver may change the amount."""


CHANGED_IN_STAGES = Rules(
    ("alice", "bob"),
    Policy(quorum=Quorum.at_least(2), stages=(Stage(["carol"], timeout=TIMEOUT),)),
    2,
    1,
    stages=((("carol",), 1),),
    editable=True,
)
RULES = (
    Rules((), Policy(), 1, 1),
    Rules((), Policy(quorum=Quorum.at_least(2), rejections_needed=2), 2, 2),
    Rules((), Policy(quorum=Quorum.at_least(3)), 3, 1),
    Rules(NAMED, Policy(), 1, 1),
    Rules(NAMED, Policy(quorum=Quorum.at_least(2), rejections_needed=3), 2, 3),
    Rules((*NAMED, REQUESTER), Policy(quorum=Quorum.everyone()), 3, 1),
    Rules(
        ("alice", "bob"),
        Policy(
            quorum=Quorum.at_least(2),
            rejections_needed=2,
            stages=(Stage(["carol", "mallory"], timeout=TIMEOUT),),
        ),
        2,
        2,
        stages=((("carol", "mallory"), 1),),
    ),
    Rules(
        ("alice",),
        Policy(escalation=(Escalate(5 * MINUTE, ["bob"], "replace"),)),
        1,
        1,
        escalation=(5 * MINUTE, "bob", True),
    ),
    Rules(
        ("alice", "carol"),
        Policy(
            quorum=Quorum.at_least(2),
            stages=(Stage(["mallory"], timeout=TIMEOUT),),
            escalation=(Escalate(5 * MINUTE, ["bob"]),),
        ),
        2,
        1,
        stages=((("mallory",), 1),),
        escalation=(5 * MINUTE, "bob", False),
    ),
    Rules(NAMED, Policy(quorum=Quorum.at_least(2), rejections_needed=2), 2, 2, editable=True),
    CHANGED_IN_STAGES,
)
AMOUNT = 100
"""As it was asked."""

Given = dict[str, tuple[str, datetime]]
"""Who answers for whom, and until when."""
Outcome = Literal["written", "already", "refused", "lost", "died"]


def milliseconds(moment: datetime) -> datetime:
    """What is on record of a moment."""
    return moment - timedelta(microseconds=moment.microsecond % 1_000)


@dataclass
class Model:
    """What must be true of one approval."""

    rules: Rules
    expires_at: datetime
    callback: str | None
    status: str = "pending"
    votes: dict[str, str] = field(default_factory=dict)
    decided_by: str | None = None
    decided_at: datetime | None = None
    events: list[str] = field(default_factory=lambda: ["requested"])
    writes: int = 1
    resumed: bool = False
    ended: bool = False  # the workflow, by an operator
    tries: int = 0  # of the sweep, to resume it
    again_at: datetime | None = None
    asked_at: datetime | None = None  # in the stage that is open
    stage: int = 0
    escalated: bool = False
    places: dict[str, str] = field(default_factory=dict)  # place -> who holds it
    handed: dict[str, str] = field(default_factory=dict)  # place -> who has taken it
    stage_of: dict[str, int] = field(default_factory=dict)  # voter -> in which stage
    place_of: dict[str, str] = field(default_factory=dict)  # voter -> in whose place
    for_whom: dict[str, str] = field(default_factory=dict)  # voter -> for whom, or themselves
    ever: set[str] = field(default_factory=set)  # asked so far
    said: list[tuple[str, str, int | None]] = field(default_factory=list)
    """Who said what, and the number of the question that it answers; questions end in `?`."""
    questions: dict[int, str] = field(default_factory=dict)
    """Of each question who asked it, by its number."""
    amount: int = AMOUNT
    """As it stands on record."""

    def __post_init__(self) -> None:
        self.asked_at = self.expires_at - TIMEOUT
        self._ask(self.rules.approvers)

    def _ask(self, names: tuple[str, ...]) -> None:
        self.places, self.handed, self.escalated = {name: name for name in names}, {}, False
        self.ever |= {*names}

    @property
    def needed(self) -> int:
        return self.rules.stages[self.stage - 1][1] if self.stage else self.rules.approvals

    @property
    def escalates_at(self) -> datetime | None:
        if self.rules.escalation is None or self.escalated or self.asked_at is None:
            return None
        due = self.asked_at + self.rules.escalation[0]
        return due if due < self.expires_at else None

    @property
    def attention(self) -> datetime:
        due = self.escalates_at
        return self.expires_at if due is None else due - GRACE

    def escalate(self) -> None:
        assert self.rules.escalation is not None
        _, to, instead = self.rules.escalation
        holder = self.handed.get(to, to)
        if instead:
            self.places = {}
        if holder not in self.places.values():
            self.places[to] = holder
        self.escalated = True
        self.ever.add(to)
        self.note("escalated")

    def retract(self, name: str, now: datetime) -> Outcome:
        who = name.strip().lower()
        if not self.pending or now >= self.expires_at or self.stage_of.get(who) != self.stage:
            return "refused"
        del self.votes[who], self.stage_of[who], self.place_of[who], self.for_whom[who]
        return self.note("retracted")

    def reassign(self, name: str, giver: str, to: str, now: datetime) -> Outcome:
        who, other = giver.strip().lower(), to.strip().lower()
        later = {one for people, _ in self.rules.stages[self.stage :] for one in people}
        taken = {*self.places.values(), *self.answered, *later, REQUESTER}
        own = name.strip().lower() == who and who in self.places.values()
        if not self.pending or now >= self.expires_at or not own or who in self.answered:
            return "refused"
        if other in taken or who == REQUESTER:
            return "refused"
        place = next(place for place, holder in self.places.items() if holder == who)
        self.places[place] = self.handed[place] = other
        self.ever.add(other)
        return self.note("reassigned")

    @property
    def pending(self) -> bool:
        return self.status == "pending"

    @property
    def answered(self) -> set[str]:
        return {*self.votes, *self.for_whom.values()}

    def stands_in_for(self, who: str, now: datetime, given: Given) -> str | None:
        """Whom somebody answers for, who is not asked themselves, now or later."""
        later = {one for people, _ in self.rules.stages[self.stage :] for one in people}
        if who in {REQUESTER, *self.places.values(), *later}:
            return None
        found = [
            holder
            for holder in self.places.values()
            if holder != REQUESTER and holder in given
            if given[holder][0] == who and now < given[holder][1]
        ]
        return next((one for one in found if one not in self.answered), next(iter(found), None))

    def vote(self, name: str, decision: str, now: datetime, given: Given) -> Outcome:
        who = name.strip().lower()
        if not self.pending:
            counted = self.status != "timeout" and self.votes.get(who) == decision
            return "already" if counted else "refused"
        if now >= self.expires_at:
            return "refused"
        if who in self.votes:
            return "already" if self.votes[who] == decision else "refused"
        if decision == "approved" and self.amount != AMOUNT:
            return "refused"  # it does not say what it approves
        return self._count(name, decision, now, given)

    def change(self, name: str, amount: int, now: datetime, given: Given, seen: int) -> Outcome:
        """An approval of another amount: nobody's who has not seen what stands on record."""
        who, same = name.strip().lower(), amount == self.amount
        mine = self.votes.get(who) == "approved" and same and self.rules.editable
        if not self.pending:
            return "already" if mine and self.status != "timeout" else "refused"
        if now >= self.expires_at or not self.rules.editable:
            return "refused"
        if who in self.votes:
            return "already" if mine else "refused"
        if seen != self.amount or (not same and self.stage):
            return "refused"
        return self._count(name, "approved", now, given, amount)

    def _count(
        self, name: str, decision: str, now: datetime, given: Given, amount: int | None = None
    ) -> Outcome:
        who = name.strip().lower()
        asked = self.stands_in_for(who, now, given) or who
        stranger = self.places and asked not in self.places.values()
        if who == REQUESTER or stranger or {who, asked} & self.answered:
            return "refused"
        if amount not in {None, self.amount}:  # what was approved before is not this
            for earlier in (self.votes, self.stage_of, self.place_of, self.for_whom):
                earlier.clear()
            self.amount = int(amount or 0)
        self.votes[who], self.stage_of[who], self.for_whom[who] = decision, self.stage, asked
        self.place_of[who] = next((p for p, one in self.places.items() if one == asked), asked)
        became = self._tally()
        if became == "approved" and self.stage < len(self.rules.stages):
            self.stage += 1
            self.asked_at = milliseconds(now)
            self.expires_at = self.asked_at + TIMEOUT
            self._ask(self.rules.stages[self.stage - 1][0])
            return self.note("stage_opened")
        return self._write(became, name, now)

    def say(self, name: str, said: str, answers: int | None, now: datetime) -> Outcome:
        """Those whom it concerns, while it is pending; the last thing again is said already."""
        who = name.strip().lower()
        stranger = bool(self.places) and who not in (*self.places.values(), REQUESTER)
        asks = said.endswith("?")
        if not self.pending or now >= self.expires_at or stranger:
            return "refused"
        if (asks and who == REQUESTER) or (answers is not None and answers not in self.questions):
            return "refused"
        if self.said and self.said[-1] == (name, said, answers):
            return "already"
        self.said.append((name, said, answers))
        if asks:
            self.questions[len(self.events) + 1] = name
        return self.note("commented")

    def cancel(self, name: str, now: datetime) -> Outcome:
        if self.status == "cancelled":
            return "already"
        mine = name.strip().lower() in {REQUESTER, "hitl-approval"}
        if not self.pending or now >= self.expires_at or not mine:
            return "refused"
        return self._write("cancelled", name, now)

    def expire(self, now: datetime) -> Outcome:
        if self.pending and now >= self.expires_at:
            return self._write("timeout", "hitl-approval", now)
        return "already"

    def postpone(self, now: datetime) -> None:
        """The sweep has tried to no avail: at once again, then after 5, 15, 35 minutes, an hour."""
        pause = min(5 * MINUTE * (2**self.tries - 1), 60 * MINUTE)
        self.tries, self.again_at = self.tries + 1, now - GRACE + pause

    def register_callback(self, callback: str) -> None:
        if self.pending:
            self.callback = callback
            self.writes += 1

    def seen(self) -> None:
        """By its workflow."""
        if not self.pending:
            self.resumed = True

    def note(self, event: str) -> Outcome:
        self.events.append(event)
        self.writes += 1
        return "written"

    def _tally(self) -> str:
        cast = {w: d for w, d in self.votes.items() if self.stage_of[w] == self.stage}
        yes = {self.place_of[who] for who, decision in cast.items() if decision == "approved"}
        if [*cast.values()].count("rejected") >= self.rules.rejections:
            return "rejected"
        if yes and len(yes) >= self.needed:
            return "approved"
        left = {
            place
            for place, who in self.places.items()
            if who != REQUESTER and who not in self.answered
        }
        return "rejected" if self.places and len(yes | left) < self.needed else "voted"

    def _write(self, event: str, name: str, now: datetime) -> Outcome:
        if event != "voted":
            self.status, self.decided_by, self.decided_at = event, name, milliseconds(now)
        return self.note(event)


class Died(BaseException):
    """The process is gone."""


class Store(InMemoryStore):
    """A store whose next commit comes late, or whose next write's reply is lost."""

    meanwhile: Callable[[], Any] | None = None
    reply_lost = False

    def create(self, transition: Transition) -> Approval:
        created = super().create(transition)
        self._reply()
        return created

    def commit(self, transition: Transition) -> None:
        act, self.meanwhile = self.meanwhile, None
        if act:
            act()
        super().commit(transition)
        self._reply()

    def _reply(self) -> None:
        lost, self.reply_lost = self.reply_lost, False
        if lost:
            raise Unavailable("the reply was lost")


class CallbackClient(RecordingCallbackClient):
    """A callback at which the process may die."""

    deadly = False

    def complete(self, callback_id: str) -> Completed:
        if self.deadly:
            raise Died
        return super().complete(callback_id)


Call = tuple[str, ...]
"""What somebody does to an approval: vote NAME DECISION, change NAME AMOUNT, cancel NAME,
retract NAME, reassign NAME FROM TO, say NAME TEXT NUMBER, check, register or undelegate GIVER."""

VOTE = st.tuples(st.just("vote"), PEOPLE, DECISIONS)
CHANGE = st.tuples(st.just("change"), PEOPLE, st.sampled_from(["100", "120", "120", "150"]))
CANCEL = st.tuples(st.just("cancel"), PEOPLE)
RETRACT = st.tuples(st.just("retract"), PEOPLE)
GIVERS = st.sampled_from(["alice", "alice", "bob", "carol", "mallory", "zoe"])
TAKERS = st.sampled_from(["zoe", "zoe", "yan", "alice", "bob", "Rita"])
REASSIGN = GIVERS.flatmap(
    lambda giver: st.tuples(
        st.just("reassign"), st.sampled_from([giver, giver, "bob"]), st.just(giver), TAKERS
    )
)
AWAY = st.sampled_from(["alice", "Alice", "bob", "carol", "mallory", "rita"])
DELEGATES = st.sampled_from(["dee", "dee", "Dee", "zoe", "yan"])
SAID = st.sampled_from(["why?", "when?", "mind the month"])
NUMBERS = st.sampled_from(["1", "2", "2", "3", "4"])
SAY = st.one_of(
    st.tuples(st.just("say"), PEOPLE, SAID, st.just("")),
    st.tuples(st.just("say"), PEOPLE, st.just("because"), NUMBERS),
)
OTHERS = st.one_of(
    VOTE,
    VOTE,
    VOTE,
    CHANGE,
    CANCEL,
    RETRACT,
    REASSIGN,
    SAY,
    st.just(("check",)),
    st.just(("register",)),
)
FAULTS = st.sampled_from(["lost", "lost", "dies", "unreachable"])
WHICH = st.sampled_from([0, 0, 0, 1, 2])
"""The last, the one before it, and so on."""


def busy(machine: Services) -> bool:
    """Whether there is more than a question: what ends it at once would end most runs early."""
    return len(machine._model(0).events) > 1


class Services(RuleBasedStateMachine):
    """Up to six approvals, and everybody who has to do with them."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock, self.meter = Store(), FixedClock(), RecordingMeter()
        self.notifier, self.callbacks = RecordingNotifier(), CallbackClient()
        self.executions = FakeExecutions()
        self.requests = RequestService(
            store=self.store, clock=self.clock, meter=self.meter, notifier=self.notifier
        )
        self.decisions = DecisionService(
            store=self.store,
            clock=self.clock,
            meter=self.meter,
            callbacks=self.callbacks,
            delegations=self.store.delegations,
        )
        self.sweeps = SweepService(
            store=self.store,
            clock=self.clock,
            meter=self.meter,
            callbacks=self.callbacks,
            executions=self.executions,
        )
        self.models: dict[str, Model] = {}
        self.given: Given = {}
        self.completed: list[str] = []
        self.sent: list[str] = []
        self.created = 0
        self.ends: dict[str, Any] = {}

    # What a request does

    @initialize(rules=st.sampled_from(RULES), polling=st.booleans())
    def submit_one(self, rules: Rules, polling: bool) -> None:
        self.submit(rules, polling, lost=False)

    @precondition(lambda self: len(self.models) < 6)
    @rule(rules=st.sampled_from(RULES), polling=st.booleans(), lost=st.booleans())
    def submit(self, rules: Rules, polling: bool, lost: bool) -> None:
        approval_id = f"approval-{len(self.models)}"
        callback = None if polling else self._new_callback()
        self.models[approval_id] = Model(rules, milliseconds(self.clock.now()) + TIMEOUT, callback)
        self.store.reply_lost = lost
        try:
            self._submit(approval_id, "token")
        except Unavailable:
            assert lost
            self._submit(approval_id, "token")

    @rule(which=WHICH, token=st.sampled_from(["token", "token", "another"]))
    def submit_again(self, which: int, token: str) -> None:
        approval_id = self._id(which)
        try:
            again = self._submit(approval_id, token)
        except InvalidRequest:
            assert token == "another"
            return
        assert token == "token"
        assert again == self.store.approvals[approval_id]

    @precondition(busy)
    @rule(which=WHICH, token=st.sampled_from(["token", "another"]))
    def withdraw(self, which: int, token: str) -> None:
        model = self._model(which)
        self.requests.abandon(self._id(which), token)
        if token == "token" and model.pending:
            now = self.clock.now()
            model.expire(now)
            model.cancel("hitl-approval", now)

    @rule(which=WHICH, fails=st.booleans())
    def notify(self, which: int, fails: bool) -> None:
        model, approval_id = self._model(which), self._id(which)
        self.notifier.failures = int(fails)
        try:
            self.requests.notify(approval_id)
        except Unavailable:
            assert fails
            self.requests.note_notification_failed(approval_id, "no topic")
            model.note("notification_failed")
        else:
            self.sent += [approval_id] if model.pending else []
        self.notifier.failures = 0

    @rule(which=WHICH)
    def register_callback(self, which: int) -> None:
        self._create_callback(self._id(which))

    @rule(which=WHICH, lost=st.booleans())
    def check_status(self, which: int, lost: bool) -> None:
        self._perform(self._id(which), ("check",), "lost" if lost else "none")

    @rule(which=WHICH)
    def stop(self, which: int) -> None:
        self.executions.ended.add(f"arn/{self._id(which)}")
        self._model(which).ended = True

    # What people decide

    @rule(which=WHICH, call=VOTE)
    def vote(self, which: int, call: Call) -> None:
        self._perform(self._id(which), call)

    @rule(which=WHICH, call=VOTE, fault=FAULTS)
    def vote_in_trouble(self, which: int, call: Call, fault: str) -> None:
        self._answer(which, call, fault)

    @rule(which=WHICH, call=VOTE, other=OTHERS)
    def vote_while_another_writes(self, which: int, call: Call, other: Call) -> None:
        self._perform(self._id(which), call, other=other)

    @precondition(lambda self: any(model.rules.editable for model in self.models.values()))
    @rule(which=WHICH, call=CHANGE, other=st.one_of(st.none(), VOTE, CHANGE, CHANGE))
    def change(self, which: int, call: Call, other: Call | None) -> None:
        self._perform(self._id(which), call, other=other)

    @precondition(lambda self: any(model.rules.editable for model in self.models.values()))
    @rule(which=WHICH, call=CHANGE, fault=FAULTS)
    def change_in_trouble(self, which: int, call: Call, fault: str) -> None:
        self._answer(which, call, fault)

    @precondition(lambda self: len(self.models) < 6)
    @rule(amounts=st.lists(st.sampled_from(["100", "120"]), min_size=4, max_size=4))
    def change_in_one_stage_after_the_other(self, amounts: list[str]) -> None:
        """So many steps in this order come about too rarely by themselves."""
        self.submit(CHANGED_IN_STAGES, polling=False, lost=False)
        for name, amount in zip(("alice", "bob", "alice", "carol"), amounts, strict=True):
            self._perform(self._id(0), ("change", name, amount))

    @rule(which=WHICH, call=REASSIGN, other=st.one_of(st.none(), VOTE))
    def reassign(self, which: int, call: Call, other: Call | None) -> None:
        self._perform(self._id(which), call, other=other)

    @rule(giver=AWAY, to=DELEGATES, minutes=st.sampled_from([5, 30, 600]))
    def delegate(self, giver: str, to: str, minutes: int) -> None:
        until = self.clock.now() + minutes * MINUTE
        self.decisions.delegating.delegate(
            Actor(giver, "declared"), giver=giver, to=to, starts_at=None, until=until
        )
        self.given[giver.lower()] = to.lower(), milliseconds(until)

    @precondition(lambda self: self.given)
    @rule(giver=AWAY)
    def end_delegation(self, giver: str) -> None:
        self._end_delegation(giver)

    @precondition(lambda self: self.given)
    @rule(which=WHICH, decision=DECISIONS, lost=st.booleans())
    def vote_for_another(self, which: int, decision: str, lost: bool) -> None:
        self._answer(which, ("vote", "dee", decision), "lost" if lost else "none")

    @precondition(lambda self: self.given)
    @rule(which=WHICH, decision=DECISIONS, giver=AWAY)
    def vote_as_a_delegation_ends(self, which: int, decision: str, giver: str) -> None:
        self._perform(self._id(which), ("vote", "dee", decision), other=("undelegate", giver))

    @rule(which=WHICH, decision=DECISIONS, giver=AWAY)
    def vote_in_both_names(self, which: int, decision: str, giver: str) -> None:
        self.delegate(giver, "dee", 30)
        self._perform(self._id(which), ("vote", "dee", decision))
        self._perform(self._id(which), ("vote", giver, decision))

    def _end_delegation(self, giver: str) -> None:
        self.decisions.delegating.end(Actor(giver, "declared"), giver)
        self.given.pop(giver.lower(), None)

    @precondition(busy)
    @rule(which=WHICH, call=RETRACT, other=st.one_of(st.none(), VOTE))
    def retract(self, which: int, call: Call, other: Call | None) -> None:
        self._perform(self._id(which), call, other=other)

    @rule(which=WHICH, call=SAY)
    def say(self, which: int, call: Call) -> None:
        self._perform(self._id(which), call)

    @rule(which=WHICH, call=SAY, other=OTHERS)
    def say_while_another_writes(self, which: int, call: Call, other: Call) -> None:
        self._perform(self._id(which), call, other=other)

    @rule(which=WHICH, call=SAY)
    def say_and_lose_the_answer(self, which: int, call: Call) -> None:
        self._answer(which, call, "lost")

    @precondition(busy)
    @rule(which=WHICH, call=CANCEL, fault=FAULTS)
    def cancel(self, which: int, call: Call, fault: str) -> None:
        self._answer(which, call, fault)

    @precondition(busy)
    @rule(which=WHICH, call=CANCEL, other=OTHERS)
    def cancel_while_another_writes(self, which: int, call: Call, other: Call) -> None:
        self._perform(self._id(which), call, other=other)

    def _answer(self, which: int, call: Call, fault: str) -> None:
        if self._perform(self._id(which), call, fault) in {"lost", "died"}:
            self._perform(self._id(which), call)  # whoever gets no answer asks again

    # Time, and the sweep

    @rule(minutes=st.sampled_from([1, 3, 6, 20]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * MINUTE)

    @precondition(busy)
    @rule(which=WHICH, early=st.booleans(), call=st.one_of(VOTE, CANCEL, st.just(("check",))))
    def act_at_the_expiry(self, which: int, early: bool, call: Call) -> None:
        moment = self._model(which).expires_at - timedelta(microseconds=early)
        self.clock.moment = max(self.clock.moment, moment)
        self._perform(self._id(which), call)

    @rule()
    def sweep(self) -> None:
        now = self.clock.now()
        before = milliseconds(now - GRACE)
        due_now = [m for m in self.models.values() if m.pending and m.attention < before]
        overdue = [m for m in due_now if now >= m.expires_at]
        unread = [
            m
            for m in self.models.values()
            if not m.resumed and m.decided_at is not None and m.decided_at < before
        ]
        due = [m for m in unread if m.again_at is None or m.again_at < before]
        amiss = sum(m.callback is not None for m in unread if m not in due)
        completed_before = len(self.completed)

        found = self.sweeps.sweep()

        for model in due_now:
            if model in overdue:
                model.expire(now)
            else:
                model.escalate()
        resumed = [self._resume(model) for model in [*overdue, *due]]
        for model in due:
            model.postpone(now)
        assert found == {
            "PendingPastExpiry": len(overdue),
            "DecidedNotResumed": amiss + sum(resumed[len(overdue) :]),
            "PassedOver": 0,
        }
        # longest first, which the model does not keep
        completions = self.callbacks.completed[completed_before:]
        assert sorted(completions) == sorted(self.completed[completed_before:])
        self.completed[completed_before:] = completions

    def _resume(self, model: Model) -> bool:
        if model.ended:
            model.resumed = True
            return True
        if model.callback is None:
            return False
        self.completed.append(model.callback)
        return True

    # What is true at any time

    @invariant()
    def the_row_is_what_the_model_says(self) -> None:
        assert self.store.approvals.keys() == self.models.keys()
        for approval_id, model in self.models.items():
            row = self.store.approvals[approval_id]
            assert row.status == model.status
            assert {v.approver.strip().lower(): v.decision for v in row.votes} == model.votes
            assert len(row.votes) == len(model.votes)
            asked = {v.approver.strip().lower(): v.asked.strip().lower() for v in row.votes}
            assert asked == model.for_whom
            assert (row.decided_by, row.decided_at) == (model.decided_by, model.decided_at)
            assert (row.callback_id, row.resumed) == (model.callback, model.resumed)
            assert {name.strip().lower() for name in row.asked} == {*model.places.values()}
            assert (row.turn.stage, row.expires_at) == (model.stage, model.expires_at)
            assert json.loads(row.context) == {"amount": model.amount}
            thread = self.decisions.thread(row)
            assert [(c.author, c.text, c.answers) for c in thread] == model.said
            assert {c.sequence: c.author for c in thread if c.question} == model.questions
            assert row.thread_length == len(model.said)
            assert row.version == model.writes, (
                "each write counts once, refused calls write nothing"
            )

    @invariant()
    def the_trail_is_whole(self) -> None:
        for approval_id, model in self.models.items():
            events = self.store.history(approval_id)
            assert [event["event"] for event in events] == model.events
            row = self.store.approvals[approval_id]
            assert examine(events, row) == []

    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        for approval_id, row in self.store.approvals.items():
            if not row.pending:
                end = (row.status, row.decided_by, row.decided_at, row.comments, row.votes)
                assert self.ends.setdefault(approval_id, end) == end

    @invariant()
    def nobody_decides_after_the_expiry(self) -> None:
        for approval_id, model in self.models.items():
            row = self.store.approvals[approval_id]
            if row.status != "timeout":
                assert (row.decided_at or model.expires_at - MINUTE) < model.expires_at

    @invariant()
    def approved_is_by_a_quorum_of_those_who_may(self) -> None:
        for approval_id, model in self.models.items():
            row = self.store.approvals[approval_id]
            if row.status != "approved":
                continue
            approved = [vote for vote in row.votes if vote.decision == "approved"]
            yes = {vote.asked.strip().lower() for vote in approved}
            people = {vote.approver.strip().lower() for vote in approved}
            assert len(yes | people) == len(approved) + sum(
                v.on_behalf_of is not None for v in approved
            )
            assert len(yes) >= model.rules.approvals + sum(count for _, count in model.rules.stages)
            assert model.stage == len(model.rules.stages)
            assert REQUESTER not in yes | people
            assert not model.rules.approvers or yes <= model.ever

    @invariant()
    def who_is_notified_and_resumed_is_as_the_model_says(self) -> None:
        assert [message.approval_id for message in self.notifier.sent] == self.sent
        assert self.callbacks.completed == self.completed

    # How calls are made

    def _perform(
        self, approval_id: str, call: Call, fault: str = "none", other: Call | None = None
    ) -> Outcome:
        """Make a call, and hold its outcome against the model's."""
        model = self.models[approval_id]
        if other:
            self.store.meanwhile = lambda: self._meanwhile(approval_id, other)
        self.store.reply_lost = fault == "lost"
        self.callbacks.deadly = fault == "dies"
        self.callbacks.answer = "delayed" if fault == "unreachable" else "resumed"
        before, seen = repr((self.store.approvals, self.store.audit)), model.amount
        outcome = self._outcome(approval_id, call)
        if outcome == "refused" and not (other and self.store.meanwhile is None):
            assert repr((self.store.approvals, self.store.audit)) == before
        self.store.meanwhile, self.store.reply_lost, self.callbacks.deadly = None, False, False
        self.callbacks.answer = "resumed"

        expected = self._expected(model, call, seen)
        if fault == "lost" and expected == "written":
            expected = "lost"
        elif call[0] == "check":
            model.seen()
        elif expected != "refused" and not model.pending and model.callback:
            if fault == "dies":
                expected = "died"
            else:
                self.completed.append(model.callback)
        assert outcome == expected
        return outcome

    def _meanwhile(self, approval_id: str, other: Call) -> None:
        if other == ("register",):
            self._create_callback(approval_id)
        elif other[0] == "undelegate":
            self._end_delegation(other[1])
        else:
            self._perform(approval_id, other)

    def _outcome(self, approval_id: str, call: Call) -> Outcome:
        try:
            if call[0] == "check":
                was = self.store.approvals[approval_id].status
                return (
                    "written"
                    if self.requests.check_status(approval_id).status != was
                    else "already"
                )
            actor = Actor(call[1], "declared")
            if call[0] == "say":
                said = self.decisions.comment(
                    approval_id,
                    actor,
                    call[2],
                    question=call[2].endswith("?"),
                    answers=int(call[3]) if call[3] else None,
                )
                return "already" if said.already else "written"
            if call[0] == "change":
                answer = self.decisions.decide(
                    approval_id,
                    actor,
                    "approved",
                    content_digest=self.store.approvals[approval_id].content_digest,
                    values=Values(changes={"amount": int(call[2])}),
                )
            elif call[0] == "cancel":
                answer = self.decisions.cancel(approval_id, actor)
            elif call[0] == "retract":
                answer = self.decisions.retract(approval_id, actor)
            elif call[0] == "reassign":
                self.decisions.reassign(approval_id, actor, giver=call[2], to=call[3])
                return "written"
            else:
                decision: Any = call[2]
                answer = self.decisions.decide(approval_id, actor, decision)
        except Unavailable:
            return "lost"
        except AlreadyDecided as error:
            return self._lost_to(self.models[approval_id], error)
        except ApprovalError:
            return "refused"
        except Died:
            return "died"
        return "already" if answer.already else "written"

    def _lost_to(self, model: Model, error: AlreadyDecided) -> Outcome:
        assert model.pending or error.details["decided_by"] == model.decided_by
        return "refused"

    def _expected(self, model: Model, call: Call, seen: int) -> Outcome:
        now = self.clock.now()
        if call[0] == "check":
            return model.expire(now)
        if call[0] == "change":
            return model.change(call[1], int(call[2]), now, self.given, seen)
        if call[0] == "say":
            return model.say(call[1], call[2], int(call[3]) if call[3] else None, now)
        if call[0] == "cancel":
            return model.cancel(call[1], now)
        if call[0] == "retract":
            return model.retract(call[1], now)
        if call[0] == "reassign":
            return model.reassign(call[1], call[2], call[3], now)
        return model.vote(call[1], call[2], now, self.given)

    def _submit(self, approval_id: str, token: str) -> Approval:
        model = self.models[approval_id]
        resolved = ResolvedRequest(
            request=any_request(
                requester=REQUESTER,
                context={"amount": AMOUNT},
                editable=["amount"] if model.rules.editable else [],
            ),
            approvers=model.rules.approvers,
            policy=model.rules.policy,
            timeout=TIMEOUT,
        )
        return self.requests.submit(
            resolved,
            approval_id=approval_id,
            execution_arn=f"arn/{approval_id}",
            creation_token=token,
            callback_id=model.callback,
        )

    def _create_callback(self, approval_id: str) -> None:
        callback, model = self._new_callback(), self.models[approval_id]
        registered = self.requests.register_callback(approval_id, callback)
        model.register_callback(callback)
        model.seen()
        assert registered.callback_id == model.callback

    def _new_callback(self) -> str:
        self.created += 1
        return f"callback-{self.created}"

    def _id(self, which: int) -> str:
        return f"approval-{max(len(self.models) - 1 - which, 0)}"

    def _model(self, which: int) -> Model:
        return self.models[self._id(which)]


Services.TestCase.settings = settings(
    max_examples=2 * settings().max_examples,  # of the profile: see conftest.py
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
)
test_should_do_what_the_model_says = Services.TestCase
