"""The promises about messages, the bus and the inboxes, whatever the stream and the clock do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hitl_approval.contract import Metrics
from hitl_approval.domain.link import digest_of
from hitl_approval.domain.message import LEASE
from hitl_approval.domain.text import person_key
from tests.faults.deployment import Deployment, plain
from tests.faults.dynamodb import Key
from tests.faults.evidence import TERMINAL, Row, rows_during
from tests.faults.outbox import INBOX_TABLE, MESSAGE, MESSAGES_TABLE, PERSON, Sent, tries
from tests.faults.simulator import Incident, Wrote

ASKS = {"requested", "reminder"}
OF_A_THREAD = {"question", "answer"}
ENDS = {
    "approved": "outcome",
    "rejected": "outcome",
    "timeout": "expired",
    "cancelled": "withdrawn",
}
"""What people are sent when a request has ended."""
AGAIN = {"lost", "twice", "dies-after", "slow", "echo"}
"""Faults of a call that sends, after which it may have been sent."""
UNMARKED = {"fail", "dies-before", "slow"}
"""Faults of a call that marks what was sent, after which it may not be marked."""
MANY = 3
"""Tries without an answer, of a schedule's four: a message is then parked, or has failed."""
AT_ONCE = timedelta(seconds=5)
"""What the stream takes to bring again what was not taken, with the faults that a schedule has."""
LATE = timedelta(seconds=30)
ANSWERED = ("Publish: ok", "Publish: slow", "Publish: twice", "Publish: echo")

Asked = tuple[str, str, str]
"""An approval, what is said, and a person."""


def sent_once(deployment: Deployment) -> Iterator[str]:
    """11. A message that was taken is sent again only where a fault left that very one in doubt."""
    yield from _broadcast_once(deployment)
    sent = Counter(one.key for one in deployment.outbox.sent)
    for key, times in sent.items():
        doubtful = sum(_doubts(deployment, key, one) for one in deployment.world.incidents)
        if times > 1 + doubtful:
            yield f"{_named(deployment, key)} was sent {times} times, {doubtful} in doubt"
        if times > 1 and _begun_after_a_mark(deployment, key):
            yield f"{_named(deployment, key)} was sent by a try begun after it was marked"
    for wrote in deployment.world.writes:
        before, after = wrote.write.before or {}, wrote.write.after
        if wrote.write.table != MESSAGES_TABLE or before.get("state") != {"S": "sent"}:
            continue
        if after["state"] != {"S": "sent"} or tries(after) > tries(before):
            yield f"{wrote.actor} took up {_named(deployment, wrote.write.key)}, which was sent"


def everybody_is_notified(deployment: Deployment) -> Iterator[str]:
    """12. Who follows from an event is sent it, or it is on record why not; nothing stays open."""
    if "messenger" not in deployment.outbox.fed:
        return
    records = _records(deployment)
    for key, record in records.items():
        if record["state"] == "open" and not _still_to_come(deployment, record):
            yield f"{_named(deployment, key)} stays open"
        if record["recipient"] and record["approval_id"] not in deployment.outbox.removed:
            yield from _has_become(deployment, key, record)
    of = Counter(_asked(record) for record in records.values() if record["recipient"])
    for who, times in _to_send(deployment).items():
        if of[who] < times * deployment.outbox.ways.get(who[2], 1):
            yield f"nobody has it on record to send {who[2]} the {who[1]} message"


def outcome_follows_request(deployment: Deployment) -> Iterator[str]:
    """13. Who was sent a request is sent how it ended, after it; who was not is sent nothing."""
    if "messenger" not in deployment.outbox.fed:
        return
    for approval_id, row in deployment.rows().items():
        first = _first(deployment, approval_id)
        acted, asker = person_key(row.get("decided_by") or ""), person_key(row["requester"])
        end = ENDS.get(row["status"], "")
        for (kind, person), one in first.items():
            if kind != "requested" or not end or person == acted:
                continue
            if (end, person) not in first and not (
                _refused(deployment, one) or _given_up(deployment, approval_id, end, person)
            ):
                yield f"{person} was sent the request and never that it is {row['status']}"
        for (kind, person), one in first.items():
            if kind not in ENDS.values() or person == asker:
                continue
            request = first.get(("requested", person))
            in_doubt = _may_have_arrived(deployment, approval_id, person)
            if request is None and not in_doubt:
                yield f"{person} was sent the end of what they were never asked"
            if request is not None and request.step > one.step and not in_doubt:
                yield f"{person} was sent the end before the request"


def nothing_delays_another(deployment: Deployment) -> Iterator[str]:
    """14. No message waits for another's fault, refusal or back-off; no event for another's."""
    world, outbox = deployment.world, deployment.outbox
    if "messenger" not in outbox.fed or world.faults["slow"]:
        return
    first: dict[Key, datetime] = {}
    for one in outbox.sent:
        first.setdefault(one.key, one.at)
    for key, record in _records(deployment).items():
        if not record["recipient"] or key not in first or _met(deployment, key):
            continue
        since = _due_since(deployment, key, record)
        if since is None:
            continue
        tick = _longest_between_runs(deployment)
        waits = AT_ONCE + LATE * world.faults["late"]
        if (
            record["kind"] in ENDS.values() and not record["to_requester"]
        ):  # for a request to the same person, on its way
            waits += LEASE + tick
        waits += tick * _runs_lost(deployment, since, first[key])
        if first[key] - since > waits:
            yield f"{_named(deployment, key)} was sent {first[key] - since} late"


def reminders_are_in_time(deployment: Deployment) -> Iterator[str]:
    """15. Reminders come while there is something to answer, never two at once, to who has not."""
    yield from _missed_reminders(deployment)
    last: dict[tuple[str, str], Sent] = {}
    for one in deployment.outbox.sent:
        if one.kind != "reminder" or one.approval_id in deployment.outbox.removed:
            continue
        began = deployment.outbox.began.get((one.actor, one.request))
        if began is not None and not _could_answer(deployment, one, began):
            yield f"{one.person} was reminded of what they could not answer any more"
        before = last.get((one.approval_id, one.person))
        if before and before.key != one.key and one.at - before.at < timedelta(minutes=1):
            yield f"{one.person} was sent two reminders at once"
        last[one.approval_id, one.person] = one


def links_stay_valid(deployment: Deployment) -> Iterator[str]:
    """16. The link in every mail that was sent opens, whatever was sent after it."""
    records = _records(deployment)
    for one in deployment.outbox.sent:
        if one.kind not in ASKS or one.key not in records:
            continue
        token = one.body.partition("/a/")[2].split()[0]
        if digest_of(token) not in records[one.key]["links"]:
            yield f"the link that {one.person} was sent opens nothing"


def events_are_published(deployment: Deployment) -> Iterator[str]:
    """17. Every committed event is published, in order, and in the inboxes."""
    if "publisher" not in deployment.outbox.fed:
        return
    published = [entry["event_id"] for entry in deployment.outbox.bus]
    for approval_id, row in deployment.rows().items():
        ids = [f"{approval_id}-{e['sequence']}" for e in deployment.events(approval_id)]
        if missing := [i for i in ids if i not in published]:
            yield f"not published: {missing}"
            continue
        if sorted(ids, key=published.index) != ids:
            yield f"published in another order: {published}"
        answered = {person_key(vote["approver"]) for vote in row["votes"]}
        awaited = _deciders(row) - answered if row["status"] == "pending" else set()
        shown = {
            item["approver"]
            for item in map(plain, deployment.db.items(INBOX_TABLE))
            if item["approval_id"] == approval_id
        }
        # A write that is applied again after the end leaves an item until its TTL.
        late = any(
            i.label == "BatchWriteItem" and i.fault == "echo" for i in deployment.world.incidents
        )
        if shown != awaited and not (late and shown > awaited):
            yield f"in the inboxes of {sorted(shown)}, it awaits {sorted(awaited)}"
    yield from _passed_over(deployment)


def _passed_over(deployment: Deployment) -> Iterator[str]:
    counted = sum(
        count
        for (actor, _, metric), count in deployment.world.metrics.items()
        if metric == Metrics.PASSED_OVER and actor in deployment.outbox.fed
    )
    # The publisher brings the event of a row that it cannot read without the row's fields.
    unreadable = deployment.outbox.poison
    if counted < unreadable - 1 or (counted and not unreadable):
        yield f"{counted} events passed over, of {unreadable}"


def _broadcast_once(deployment: Deployment) -> Iterator[str]:
    if deployment.doubled:
        return
    messages = [m for m in deployment.world.messages if _is_broadcast(m)]
    sent = Counter(
        (m["TopicArn"], *sorted((n, a["StringValue"]) for n, a in m["MessageAttributes"].items()))
        for m in messages
    )
    again = len(messages) - len(sent)
    if again > deployment.world.faults.total():
        yield f"{again} messages were sent again, after {deployment.world.faults.total()} faults"


def _is_broadcast(message: Mapping[str, Any]) -> bool:
    return "approver" not in message["MessageAttributes"]


def _missed_reminders(deployment: Deployment) -> Iterator[str]:
    """Whom a run of the clock had to remind, and nobody did by then."""
    outbox = deployment.outbox
    if "messenger" not in outbox.fed or deployment.world.faults["slow"]:
        return  # what is due may not be on record yet
    runs = sorted({*outbox.clock} - {*outbox.lost})
    for approval_id, row in deployment.rows().items():
        created = datetime.fromisoformat(row["created_at"])
        due = created + timedelta(seconds=min(row.get("reminders", [0])))
        over = datetime.fromisoformat(row.get("decided_at", row["expires_at"]))
        run = next((moment for moment in runs if due <= moment < over), None)
        if not row.get("reminders") or run is None:
            continue
        for key, record in _records(deployment).items():
            if _asked(record)[:2] != (approval_id, "requested") or _met(deployment, key):
                continue
            person = person_key(record["recipient"])
            if not any(
                (one.kind, one.person) == ("reminder", person) and one.at <= run
                for one in outbox.sent
            ):
                yield f"{person} was not reminded by {run:%H:%M}"


# Evidence


def _records(deployment: Deployment) -> dict[Key, dict[str, Any]]:
    """The messages as they were left."""
    outbox = deployment.outbox
    if not outbox.records:
        outbox.records |= {k: plain(i) for k, i in deployment.db.tables[MESSAGES_TABLE].items()}
    return outbox.records


def _named(deployment: Deployment, key: Key) -> str:
    record = _records(deployment).get(key)
    return f"{record['recipient']}'s {record['kind']} message" if record else "a message"


def _asked(record: Row) -> Asked:
    return record["approval_id"], record["kind"], person_key(record["recipient"])


def _deciders(row: Row) -> set[str]:
    return {person_key(name) for name in row["approvers"]} - {person_key(row["requester"])}


def _to_send(deployment: Deployment) -> Counter[Asked]:
    """Who is to be sent what by the audit trail, by this reading of it."""
    found: Counter[Asked] = Counter()
    for approval_id, row in deployment.rows().items():
        asker = person_key(row["requester"])
        for event in deployment.events(approval_id):
            name, acted = event["event"], {person_key(event["actor"])}
            if name == "requested":
                found.update((approval_id, "requested", who) for who in _deciders(row))
            elif name == "reminded":
                names = {person_key(who) for who in event["details"]["to"]}
                found.update((approval_id, "reminder", who) for who in names)
            elif name == "commented":
                kind = "question" if event["details"].get("question") else "answer"
                names = {person_key(who) for who in event["details"].get("to", ())}
                found.update((approval_id, kind, who) for who in names)
            elif name in ENDS:
                names = (_deciders(row) | {asker}) - acted
                found.update((approval_id, ENDS[name], who) for who in names)
    return found


def _has_become(deployment: Deployment, key: Key, record: Row) -> Iterator[str]:
    """Whether a record may be as it is: what was not sent has its reason."""
    sent = any(one.key == key for one in deployment.outbox.sent)
    person, kind = person_key(record["recipient"]), record["kind"]
    example = {
        "Channel": record["channel"],
        "MessageAttributes": {
            "approver": {"StringValue": person},
            "kind": {"StringValue": kind},
        },
    }
    match record["state"]:
        case "sent" if not sent:
            yield f"{_named(deployment, key)} is marked as sent and was not"
        case "failed" if not (
            deployment.refuses(example) or deployment.world.faults.total() > MANY
        ):
            yield f"{_named(deployment, key)} has failed though it was not refused"
        case "parked" if not deployment.outbox.kills(example) and not _often_met(deployment, key):
            yield f"{_named(deployment, key)} is parked though it kills nobody"
        case "void" if not _void(deployment, record, person):
            yield f"{_named(deployment, key)} is void though there was something to say"
    if record["state"] in {"failed", "parked"}:
        counted = sum(
            count
            for (*_, metric), count in deployment.world.metrics.items()
            if metric == Metrics.NOTIFICATION_FAILED
        )
        row = deployment.rows()[record["approval_id"]]
        said = [e["event"] for e in deployment.events(record["approval_id"])]
        if not counted or ("notification_failed" not in said and row["status"] == "pending"):
            yield f"{_named(deployment, key)} is {record['state']}, and nothing says so"


def _void(deployment: Deployment, record: Row, person: str) -> bool:
    row = deployment.rows()[record["approval_id"]]
    if record["kind"] in ASKS:
        voted = person in {person_key(vote["approver"]) for vote in row["votes"]}
        return voted or row["status"] in TERMINAL
    if record["kind"] in OF_A_THREAD:
        answered = {
            event["details"].get("answers") for event in deployment.events(record["approval_id"])
        }
        is_answered = record["kind"] == "question" and record["sequence"] in answered
        return is_answered or row["status"] in TERMINAL
    asked = (record["approval_id"], "requested", person, record["channel"])
    sent = {(one.approval_id, one.kind, one.person, one.channel) for one in deployment.outbox.sent}
    return asked not in sent and not record["to_requester"]


def _still_to_come(deployment: Deployment, record: Row) -> bool:
    """Reminders of a time at which the clock does not run any more."""
    last = max(deployment.outbox.clock, default=None)
    due = datetime.fromisoformat(record["due"])
    return not record["recipient"] and (last is None or due > last)


def _first(deployment: Deployment, approval_id: str) -> dict[tuple[str, str], Sent]:
    """What each person was first sent of each kind."""
    found: dict[tuple[str, str], Sent] = {}
    for one in deployment.outbox.sent:
        if one.approval_id == approval_id:
            found.setdefault((one.kind, one.person), one)
    return found


def _refused(deployment: Deployment, one: Sent) -> bool:
    return deployment.refuses(one.call) or deployment.outbox.kills(one.call)


def _given_up(deployment: Deployment, approval_id: str, kind: str, person: str) -> bool:
    """Whether such a message has failed or been parked; `everybody_is_notified` asks why."""
    return any(
        record["state"] in {"failed", "parked"}
        for record in _records(deployment).values()
        if _asked(record) == (approval_id, kind, person)
    )


def _message_name(key: Key) -> str:
    return MESSAGE + " ".join(part.removeprefix("S:") for part in key)


def _touches(incident: Incident, name: str) -> bool:
    return any(touched == name for touched, _ in incident.footprint)


def _senders(deployment: Deployment, key: Key) -> list[Sent]:
    return [one for one in deployment.outbox.sent if one.key == key]


def _person(deployment: Deployment, key: Key) -> str:
    return person_key(_records(deployment)[key]["recipient"]) if key else ""


def _doubts(deployment: Deployment, key: Key, incident: Incident) -> bool:
    """Whether this incident may have left it open whether a message was sent."""
    mine = (incident.actor, incident.request)
    sent = [one for one in _senders(deployment, key) if (one.actor, one.request) == mine]
    if incident.label == "Publish" and _touches(incident, f"{PERSON}{_person(deployment, key)}"):
        return incident.fault in AGAIN
    if incident.fault == "slow":  # it outlives its lease
        return bool(sent)
    marks = _touches(incident, _message_name(key)) and incident.fault in UNMARKED
    return marks and any(one.step < incident.step for one in sent)


def _begun_after_a_mark(deployment: Deployment, key: Key) -> bool:
    """Whether a try began after somebody had sent it and had, unfailing, noted that."""
    sent = _senders(deployment, key)
    marks = [mark for one in sent if (mark := _mark(deployment, one)) is not None]
    senders = {(one.actor, one.request) for one in sent}
    return any(
        (wrote.write.table, wrote.write.key) == (MESSAGES_TABLE, key)
        and tries(wrote.write.after) > tries(wrote.write.before or {})
        and (wrote.actor, wrote.request) in senders
        and wrote.step > min(marks, default=wrote.step)
        for wrote in deployment.world.writes
    )


def _mark(deployment: Deployment, one: Sent) -> int | None:
    """How many steps had been made when its sender had noted that it was sent."""
    mine = [
        (step, line)
        for step, line in enumerate(deployment.world.steps, start=1)
        if f" {one.actor}: " in line
    ]
    published = [line for step, line in mine if step <= one.step]
    after = [(step, line) for step, line in mine if step > one.step]
    if not published or not published[-1].endswith(ANSWERED) or not after:
        return None
    step, line = after[0]
    return step if line.endswith("UpdateItem: ok") else None


def _met(deployment: Deployment, key: Key) -> bool:
    """Whether a message has met a fault or a refusal of its own."""
    person = _person(deployment, key)
    channel = _records(deployment)[key]["channel"] if key else "sns"
    attributes = {"approver": {"StringValue": person}}
    example = {"Channel": channel, "MessageAttributes": attributes}
    if deployment.refuses(example) or deployment.outbox.kills(example):
        return True
    return any(
        _touches(incident, f"{PERSON}{person}")
        or any(
            t.startswith(MESSAGE) and t.split(" ")[-1].split("#")[-1] == key[1].split("#")[-1]
            for t, _ in incident.footprint
        )
        for incident in deployment.world.incidents
    )


def _may_have_arrived(deployment: Deployment, approval_id: str, person: str) -> bool:
    """Whether a run that had begun to send this person the request met a fault."""
    return any(
        _troubled(deployment, key)
        for key, record in _records(deployment).items()
        if _asked(record) == (approval_id, "requested", person)
    )


def _often_met(deployment: Deployment, key: Key) -> bool:
    """Whether so many tries have met a fault that it may be given up."""
    return len(_troubled(deployment, key)) >= MANY


def _troubled(deployment: Deployment, key: Key) -> set[tuple[str, int]]:
    """The runs that had begun a try of a message and met a fault."""
    begun = {
        (wrote.actor, wrote.request)
        for wrote in deployment.world.writes
        if (wrote.write.table, wrote.write.key) == (MESSAGES_TABLE, key)
        and tries(wrote.write.after) > tries(wrote.write.before or {})
    }
    return begun & {(one.actor, one.request) for one in deployment.world.incidents}


def _due_since(deployment: Deployment, key: Key, record: Row) -> datetime | None:
    """When a message could first have been sent."""
    for position, item in enumerate(deployment.outbox.stream):
        event = plain(item) if {"approval_id", "sequence"} <= set(item) else {}
        if (event.get("approval_id"), event.get("sequence")) == (
            record["approval_id"],
            record["sequence"],
        ):
            if record["number"]:
                break
            return deployment.outbox.committed.get(position)
    return _inserted(deployment, key).at


def _inserted(deployment: Deployment, key: Key) -> Wrote:
    return next(
        w for w in deployment.world.writes if (w.write.table, w.write.key) == (MESSAGES_TABLE, key)
    )


def _longest_between_runs(deployment: Deployment) -> timedelta:
    moments = sorted({*deployment.outbox.clock})
    return max((b - a for a, b in pairwise(moments)), default=timedelta(0))


def _runs_lost(deployment: Deployment, since: datetime, until: datetime) -> int:
    """Runs of the clock that did not end by themselves, or could not read what is due."""
    return sum(1 for at in deployment.outbox.lost if since <= at < until)


def _could_answer(deployment: Deployment, one: Sent, began: int) -> bool:
    """Whether at some moment of that run the request was pending, and this person had not voted."""
    writes = deployment.world.writes
    first = sum(1 for w in writes if w.step <= began)
    during = sum(1 for w in writes if w.step <= one.step)
    for rows in rows_during(deployment, range(first, during)):
        row = rows.get(one.approval_id)
        if row and row["status"] == "pending":
            voted = {person_key(vote["approver"]) for vote in row["votes"]}
            if one.person not in voted:
                return True
    return False


DELIVERED = (
    sent_once,
    everybody_is_notified,
    outcome_follows_request,
    nothing_delays_another,
    reminders_are_in_time,
    links_stay_valid,
    events_are_published,
)
