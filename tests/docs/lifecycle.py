"""`docs/lifecycle.md`, written by `make docs`: what can happen to a request, found by doing it.

Each line of the table is one act. Everybody who might do it does it to a sample record in every
status, and the table says what became of that. A new act is one line more in `ACTS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import (
    STATUSES,
    Approval,
    Decision,
    Status,
    Transition,
    open_approval,
)
from hitl_approval.domain.audit import SYSTEM, Actor
from hitl_approval.domain.bus_event import bus_event
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.ending import cancel, end, expire, follow_rule
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.escalation import escalate
from hitl_approval.domain.message import Message, messages_of
from hitl_approval.domain.notification import note_notification_failed
from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.reminder import remind
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.superseding import supersede
from hitl_approval.domain.thread import comment, thread_of
from hitl_approval.domain.values import NOTHING as NO_VALUES
from hitl_approval.domain.values import Values
from hitl_approval.domain.voting import cast_vote, retract

FILE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
PREFACE = Path(__file__).with_name("lifecycle_preface.md")

HOUR = timedelta(hours=1)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TIMEOUT = 4 * HOUR
DUE, OVER = NOW + 2 * HOUR, NOW + TIMEOUT
"""When the sample's escalation is due, and when its time is over."""
OPERATORS = ["olga"]
RULE = AppliedRule("any", "small", "approved")

PEOPLE = {
    "ann": "who is asked",
    "bob": "who has answered",
    "dan": "who was replaced",
    "dora": "who is asked",
    "cid": "who is asked in the next stage",
    "leo": "whom the escalation names",
    "eve": "who is asked instead",
    "rita": "who asked for it",
    "olga": "an operator",
    "mel": "who answers for ann, by a delegation",
    "mallory": "anybody else",
}
"""Who is who in the samples, in the words of the table."""
ROLES = PEOPLE | dict.fromkeys([SYSTEM.name, RULE.actor.name], "the deployment itself")
ACTORS = [*(Actor(name, "declared") for name in PEOPLE), SYSTEM]
ALWAYS = {"version", "audit_sequence", "audit_hash"}
"""Attributes that every event changes."""
NOTHING, NONE = "nothing", "-"

Happens = Callable[[Approval, Actor, datetime], Transition | None]


def asking(
    policy: Policy, *, supersedes: str | None = None, rule: AppliedRule | None = None
) -> Transition:
    """Rita asks ann, bob and dan, who may change the amount."""
    request = ApprovalRequest(
        subject="Refund",
        requester="rita",
        approvers=("ann", "bob", "dan"),
        supersedes=supersedes,
        context={"amount": 100},
        editable=("amount",),
    )
    return open_approval(
        request,
        approval_id="sample",
        execution_arn="arn",
        creation_token="any",
        callback_id=None,
        approvers=tuple(request.approvers),
        policy=policy,
        timeout=TIMEOUT,
        now=NOW,
        rule=rule,
    )


def sample(**rules: object) -> Approval:
    """Dan has given dora his place, bob has approved; ann and dora are still asked."""
    policy = replace(POLICY, **rules)  # type: ignore[arg-type]  # each act gives what it needs
    dan, bob = Actor("dan", "declared"), Actor("bob", "declared")
    given = reassign(asking(policy).after, dan, giver="dan", to="dora", now=NOW).after
    return _after(cast_vote(given, bob, "approved", "", now=NOW))


def _after(transition: Transition | None) -> Approval:
    assert transition is not None
    return transition.after


POLICY = Policy(
    quorum=Quorum.at_least(2),
    stages=(Stage(["cid"], timeout=TIMEOUT),),
    escalation=(Escalate(DUE - NOW, ["leo"]),),
)
SAMPLE = sample()
LAST = sample(stages=())
THREE = sample(quorum=Quorum.at_least(3))
SILENCE_REJECTS = sample(on_timeout=OnTimeout.reject())
NEXT = _after(cast_vote(SAMPLE, Actor("ann", "declared"), "approved", "", now=NOW))
"""The next stage has begun."""
RITAS = replace(sample(allow_self_approval=True), approvers=("ann", "bob", "dan", "rita"))
"""Who asked is asked as well."""


SMALL = asking(POLICY, rule=RULE).after
"""A rule of the deployment approves it."""
CHANGED = Values(changes={"amount": 90})


def answer(decision: Decision, values: Values = NO_VALUES) -> Happens:
    """Somebody votes."""
    return lambda record, who, now: cast_vote(
        record, who, decision, "", now=now, values=values, content_digest=record.content_digest
    )


def answer_for(giver: str, until: datetime = OVER + HOUR) -> Happens:
    """Mel votes, who answers for somebody until a time."""
    delegation = Delegation(
        giver=giver,
        to="mel",
        starts_at=NOW,
        until=until,
        given_by=giver,
        identity="declared",
        at=NOW,
    )
    return lambda record, who, now: cast_vote(
        record, who, "approved", "", now=now, delegations=[delegation]
    )


def say(thread: Sequence[Transition] = (), **purpose: Any) -> Happens:
    """Somebody comments."""
    said = thread_of([each.entry for each in thread])
    return lambda record, who, now: comment(
        record, who, "Why?", thread=said, now=now, operators=OPERATORS, **purpose
    )


QUESTION = say(question=True)(SAMPLE, Actor("ann", "declared"), NOW)
assert QUESTION is not None


@dataclass(frozen=True)
class Act:
    """One line of the table.

    Attributes:
        words: what happens.
        happens: that, to a record, by somebody, at a time.
        given: the record while it is pending; None where there is none before.
        by: who does it. Default: whoever may.
    """

    words: str
    happens: Happens
    given: Approval | None = SAMPLE
    by: str | None = None


# fmt: off
ACTS = (
    Act("the request is made", lambda *_: asking(POLICY), None, by="rita"),
    Act("a rule of the deployment decides it", lambda a, _, now: follow_rule(a, now=now), SMALL),
    Act("an approval that is not enough yet", answer("approved"), THREE),
    Act("an approval that changes a value", answer("approved", CHANGED)),
    Act("the approval that is enough, a stage follows", answer("approved")),
    Act("the approval that is enough, in the last stage", answer("approved"), LAST),
    Act("the rejection that is enough", answer("rejected")),
    Act("the same answer again", answer("approved"), by="bob"),
    Act("another answer than before", answer("rejected"), by="bob"),
    Act("an answer out of turn", answer("approved"), by="cid"),
    Act("an answer from a place that was handed over", answer("approved"), by="dan"),
    Act("an answer to one's own request", answer("approved"), by="rita"),
    Act("an answer for who is asked, by a delegation", answer_for("ann"), THREE, by="mel"),
    Act("the same, as the delegation ends", answer_for("ann", until=DUE), THREE, by="mel"),
    Act("an answer for who has answered", answer_for("bob"), by="mel"),
    Act("an answer for who asked for it", answer_for("rita"), RITAS, by="mel"),
    Act("somebody answers what a rule decides", answer("approved"), SMALL, by="ann"),
    Act("an answer is taken back", lambda a, who, now: retract(a, who, now=now)),
    Act("the same, once the next stage has begun",
        lambda a, who, now: retract(a, who, now=now), NEXT, by="bob"),
    Act("a step of the escalation is due", lambda a, _, now: escalate(a, now=now)),
    Act("a place is handed over", lambda a, who, now: reassign(
        a, who, giver="ann", to="eve", now=now, operators=OPERATORS)),
    Act("a comment is made", say()),
    Act("who asked for it is asked a question", say(question=True)),
    Act("the question is answered",
        say([QUESTION], answers=QUESTION.event.sequence), QUESTION.after, by="rita"),
    Act("the request is sent again", lambda a, who, now: remind(a, who, (), now=now)),
    Act("a message could not be sent",
        lambda a, _, now: note_notification_failed(a, "no topic", now=now)),
    Act("the request is withdrawn",
        lambda a, who, now: cancel(a, who, "why", now=now, operators=OPERATORS)),
    Act("another request of the same function replaces it",
        lambda a, _, now: supersede(
            a, asking(POLICY, supersedes=a.approval_id).after, now=now)),
    Act("nobody has decided in time", lambda a, _, now: expire(a, now=now)),
    Act("the same, where silence rejects", lambda a, _, now: expire(a, now=now), SILENCE_REJECTS),
)
# fmt: on
"""What can happen to a request, in the order in which it may."""


@dataclass(frozen=True)
class Done:
    """An act while the request was pending.

    Attributes:
        transition: what it wrote; None where it is refused or changes nothing.
        actors: who may do it; of what nobody may, who has tried.
    """

    transition: Transition | None
    actors: tuple[Actor, ...]


def do(act: Act) -> Done:
    """Let everybody do it, in time and, if nobody can by then, when the time is over."""
    record = act.given or SAMPLE
    trying = [who for who in ACTORS if act.by in (None, who.name)]
    for now in (DUE, OVER):
        became = [(who, _became(act, record, who, now)) for who in trying]
        done = [(who, each) for who, each in became if isinstance(each, Transition)]
        if not done:
            continue
        written = done[0][1]
        if written.event.actor.identity in {"system", "rule"}:
            return Done(written, (SYSTEM,))
        return Done(written, tuple(who for who, _ in done))
    return Done(None, tuple(trying))


def _became(act: Act, record: Approval, who: Actor, now: datetime) -> Transition | str | None:
    """What becomes of an act: what it writes, the code that refuses it, or nothing."""
    try:
        return act.happens(record, who, now)
    except ApprovalError as error:
        return error.code


def row(act: Act) -> tuple[str, ...]:
    """The line of an act."""
    done = do(act)
    who, written = done.actors[0], done.transition
    if act.given is None:
        assert written is not None
        statuses = [f"`{written.after.status}`", *[NONE] * len(STATUSES)]
    else:
        records = [(in_status(act.given, status), DUE) for status in STATUSES]
        records.insert(1, (act.given, OVER))
        statuses = [_said(_became(act, record, who, now)) for record, now in records]
    return (
        act.words,
        people(each.name for each in done.actors),
        *statuses,
        *(_written(act.given, written) if written else [NONE] * 4),
    )


def in_status(record: Approval, status: Status) -> Approval:
    """The record in a status: as it is, or ended so by somebody else."""
    if status == "pending":
        return record
    actor = SYSTEM if status == "timeout" else Actor("leo", "declared")
    return end(record, status, actor, "", now=DUE, details={}).after


def _said(became: Transition | str | None) -> str:
    if isinstance(became, Transition):
        return f"`{became.after.status}`"
    return NOTHING if became is None else f"`{became}`"


def _written(before: Approval | None, written: Transition) -> Iterable[str]:
    """The audit event, the attributes of the row, the messages and the bus event."""
    published = bus_event(written.entry, written.after, deployment="any")
    yield f"`{written.event.event}`"
    yield attributes(before, written.after)
    yield messages(before, written)
    yield f"`{published.detail_type}`"


def people(names: Iterable[str]) -> str:
    """People by their roles, each once; where nobody is left out, that it is anybody."""
    roles = list(dict.fromkeys(ROLES[name] for name in names))
    return "anybody" if {*roles} == {*ROLES.values()} else ", ".join(roles)


def attributes(before: Approval | None, after: Approval) -> str:
    """What an act writes on the row, besides what every event does."""
    if before is None:
        return "all of it"
    names = [each.name for each in fields(Approval) if each.name not in ALWAYS]
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    return ", ".join(f"`{name}`" for name in changed) or NONE


def messages(before: Approval | None, written: Transition) -> str:
    """The messages that follow, each kind with whom it is for, after all who are asked were."""
    channels_of = Directory().channels_of
    asked = () if before is None or before.ends_by_rule else before.concerned
    earlier = [
        Message(approval_id="sample", sequence=1, kind="requested", recipient=name)
        for name in asked
    ]
    found: dict[str, list[str]] = {}
    for message in messages_of(
        written.entry, written.after, channels_of=channels_of, earlier=earlier
    ):
        name = "ann" if before is None else message.recipient  # nobody has answered yet
        found.setdefault(message.kind, []).append(name)
    return "; ".join(f"`{kind}` to {people(names)}" for kind, names in found.items()) or NONE


def table() -> str:
    """The machine."""
    pending, *ended = STATUSES
    head = ("what happens", "who may", f"`{pending}`", "time is over", *(f"`{s}`" for s in ended),
            "audit event", "on the row", "messages", "bus event")  # fmt: skip
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *map(row, ACTS))]
    return "".join([lines[0], "|" + "---|" * len(head) + "\n", *lines[1:]])


def page() -> str:
    """The whole page."""
    text = PREFACE.read_text(encoding="utf-8")
    for marker, written in {
        "table": table(),
        "policy": f"```json\n{json.dumps(POLICY.to_dict(), indent=1)}\n```\n",
    }.items():
        assert text.count(f"<!-- {marker} -->\n") == 1, marker
        text = text.replace(f"<!-- {marker} -->\n", written)
    return text


def write() -> None:
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
