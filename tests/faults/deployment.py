"""A deployment in a simulated world: who acts in it, how it answers, what AWS does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.approval import derive_approval_id
from tests import environment
from tests.faults.askers import Askers
from tests.faults.durable import (
    DurableService,
    Handler,
    arn_of,
    footprint,
)
from tests.faults.dynamodb import (
    APPROVALS,
    AUDIT,
    INBOX,
    MESSAGES,
    DynamoDb,
    Item,
    Key,
    Write,
    client_error,
)
from tests.faults.outbox import (
    EVERY_INBOX,
    EVERY_MESSAGE,
    INBOX_TABLE,
    MESSAGE,
    MESSAGES_TABLE,
    PERSON,
    STREAM,
    Outbox,
    by_mail,
    person_of,
)
from tests.faults.simulator import (
    EVERY,
    EVERY_ROW,
    NOTHING,
    ROW,
    START,
    Actor,
    Call,
    Footprint,
    Killed,
    ProcessDied,
    World,
)

APPROVALS_TABLE = environment.ENVIRONMENT["APPROVALS_TABLE_NAME"]
AUDIT_TABLE = environment.ENVIRONMENT["AUDIT_TABLE_NAME"]
TIMEOUT = timedelta(seconds=60)
"""Time to decide in every scenario: one re-check, and the shortest callback."""

ENVIRONMENT = {**environment.ENVIRONMENT, **environment.CREDENTIALS}

READ_FAULTS = ("fail", "dies-before", "slow")
OUTBOX_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "slow", "echo")
"""Of a write to a table that no transaction touches: there is nothing to conflict with."""
WRITE_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "conflict", "slow", "echo")
PUBLISH_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "slow", "echo")

WORKFLOWS = {"start"}
"""Executions whose reads `Deployment.denied` refuses."""

TRIES = 12
"""How often a person, or the page they use, repeats a request that was not answered."""
PATIENCE = timedelta(seconds=2)

Payload = Mapping[str, Any]

ERASER = "eraser"
"""Who erases people from what has ended."""
_OUTBOX = (EVERY_INBOX.removesuffix(EVERY), MESSAGE)
_GIVEN = "given "
"""In a footprint: what says who answers for whom, which no index shows."""


def of_a_request(key: Key) -> bool:
    """Whether an item of the approvals table is a request's: delegations have keys with a `#`."""
    return "#" not in key[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was answered to one request; no status if nothing came back."""

    actor: str
    request: int
    payload: Mapping[str, Any]
    asked_at: datetime
    status: int | None
    body: Mapping[str, Any]
    written: range
    """What was written, by anybody, between question and answer: indexes of `World.writes`."""
    last: bool = False
    """Whether the caller left it at that."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run of the sweep function."""

    actor: str
    request: int
    at: datetime
    written: range
    """What was written meanwhile, by anybody: indexes of `World.writes`."""
    step: int
    """How many steps had been made before."""
    error: str
    """What it raised, if it did."""


@dataclass
class Deployment:
    """Everything of one schedule."""

    world: World
    workflow: Handler
    api: Handler
    sweep: Handler
    environment: Mapping[str, str]
    grace: timedelta
    """What the sweep leaves a workflow to do a thing by itself."""
    may_fail: bool = False
    """Whether the execution may fail, if it leaves no record: its start met a long outage."""
    answers: list[Answer] = field(default_factory=list)
    swept: list[Sweep] = field(default_factory=list)
    altered: set[str] = field(default_factory=set)
    """Rows that somebody has written by hand: no promise is about them, but for what they do."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """What the request itself says of its policy."""
    refuses: Callable[[Payload], bool] = lambda _: False
    """Whether SNS refuses a message, whenever it is brought."""
    denied: int = 0
    """How many of the workflow's next reads are refused."""
    erased: str = ""
    """Whom the eraser erases, if there is one."""
    removed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The rows that the eraser has removed, as they were: what is on record of them must hold."""
    doubled: bool = False
    """Whether a second invocation runs beside the first, so that each message may go out twice."""
    outbox: Outbox = field(default_factory=Outbox)
    askers: Askers = field(default_factory=Askers)
    """Who asks through the request function instead of having rights of their own."""
    desk: Any = None
    """What the tool of an agent has done, where an agent asks."""
    redeployed: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Actors who reach a newer version of the functions, and its environment."""

    def __post_init__(self) -> None:
        schemas = {
            APPROVALS_TABLE: APPROVALS,
            AUDIT_TABLE: AUDIT,
            MESSAGES_TABLE: MESSAGES,
            INBOX_TABLE: INBOX,
        }
        self.db = DynamoDb(schemas, self._wrote)
        self.durable = DurableService(self.world)
        self.world.frozen_until = self._frozen_until

    def _wrote(self, write: Write) -> None:
        self.world.wrote(write)
        actor = self.world.current
        if actor and actor.name == ERASER and write.before and not write.after:
            row = plain(write.before)
            self.removed[row["approval_id"]] = row
        if write.table == AUDIT_TABLE and write.before is None:
            self.outbox.committed[len(self.outbox.stream)] = self.world.now
            self.outbox.stream.append(write.after)

    @property
    def polling(self) -> bool:
        return self.environment["RESUME_MODE"] == "polling"

    # What happens in it

    def start(self, name: str, event: Mapping[str, Any], **options: timedelta) -> str:
        """Start an execution, once for each name; returns its approval's id."""
        arn, new = self.durable.start(name, event)
        if new:
            self.world.add(name, self.durable.drive(arn, self.workflow), **options)
        return derive_approval_id(arn, DOCUMENT_APPROVAL)

    def person(
        self,
        name: str,
        *payloads: Payload | Callable[[], Payload],
        at: timedelta | None = None,
        when: Callable[[], bool] | None = None,
        patient: bool = True,
        **options: timedelta,
    ) -> None:
        """Somebody sends requests, at a time or once something is so, each until it is answered."""

        def body(me: Actor) -> None:
            if at is not None:
                me.sleep(at)
            if when is not None:
                me.wait(when)
            for payload in payloads:
                self._insist(me, payload() if callable(payload) else payload, patient=patient)

        self.world.add(name, body, **options)

    def sweeps(self, *moments: timedelta, name: str = "sweep", **options: timedelta) -> None:
        """The sweep function runs at these times; a run that fails leaves it to the next."""

        def body(me: Actor) -> None:
            for moment in moments:
                me.sleep_until(START + moment)
                me.start_process()
                began, step, first = self.world.now, len(self.world.steps), len(self.world.writes)
                error = ""
                try:
                    self.sweep({}, None)
                except (Killed, ProcessDied, Exception) as raised:
                    if self.world.over:
                        raise
                    error = repr(raised)
                written = range(first, len(self.world.writes))
                self.swept.append(Sweep(me.name, me.request, began, written, step, error))

        self.world.add(name, body, **options)

    def operator(self, name: str, when: Callable[[], bool]) -> None:
        """Somebody stops an execution as soon as something is so."""
        arn = arn_of(name)

        def body(me: Actor) -> None:
            me.wait(when)
            me.point(footprint(arn))
            self.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: stops {name}")
            self.durable.stop(arn)

        self.world.add("operator", body)

    def stranger(self, when: Callable[[], bool], write: Callable[[], Item | None]) -> None:
        """Somebody who may write the table puts a row there by hand, if `write` gives one."""

        def body(me: Actor) -> None:
            me.wait(when)
            me.point(frozenset({(EVERY_ROW, True)}))
            item = write()
            if item is None:
                return
            key = (f"S:{item['approval_id']['S']}",)
            before = self.db.tables[APPROVALS_TABLE].get(key)
            self.altered.add(item["approval_id"]["S"])
            self.db.put_by_hand(Write(APPROVALS_TABLE, key, before, item))
            self.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: writes {key[0]} by hand")

        self.world.add("stranger", body)

    def paused(self, name: str, begin: timedelta, end: timedelta) -> None:
        """Somebody pauses an execution, and lets it go on later."""
        arn = arn_of(name)

        def body(me: Actor) -> None:
            for moment, act in ((begin, self.durable.pause), (end, self.durable.unpause)):
                me.sleep_until(START + moment)
                me.point(footprint(arn))
                act(arn)

        self.world.add("operator", body)

    def row_exists(self, approval_id: str) -> Callable[[], bool]:
        key = (f"S:{approval_id}",)
        return lambda: key in self.db.tables[APPROVALS_TABLE]

    def row_ended(self, approval_id: str) -> Callable[[], bool]:
        key, table = (f"S:{approval_id}",), self.db.tables[APPROVALS_TABLE]
        return lambda: key in table and table[key]["status"] != {"S": "pending"}

    def event_of(self, name: str) -> Callable[[], bool]:
        """Whether an audit event of this name is on record."""
        table = self.db.tables[AUDIT_TABLE]
        return lambda: any(item["event"] == {"S": name} for item in table.values())

    def _insist(self, me: Actor, payload: Payload, *, patient: bool) -> None:
        for attempt in range(1, TRIES + 1):
            answer = self._ask(me, payload)
            settled = answer.status is not None and answer.status < 500
            last = settled or attempt == TRIES or not patient
            self.answers.append(replace(answer, last=last))
            if last:
                return
            me.sleep(PATIENCE)

    def _ask(self, me: Actor, payload: Payload) -> Answer:
        me.start_process()
        asked_at, first = self.world.now, len(self.world.writes)
        status: int | None = None
        body: Mapping[str, Any] = {}
        try:
            response = self.api(dict(payload), None)
        except (Killed, ProcessDied):
            if self.world.over:
                raise
        except Exception:  # noqa: BLE001  Lambda answers for a function that raises
            status = 500
        else:
            me.point(NOTHING)
            if self.world.outcome(("lost",)) == "ok":
                status, body = response["statusCode"], json.loads(response["body"])
        self.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: answered {status} {dict(body)}")
        written = range(first, len(self.world.writes))
        return Answer(me.name, me.request, payload, asked_at, status, body, written)

    def _frozen_until(self) -> datetime:
        """A frozen process goes on with the workflow that finds its time over."""
        now = self.world.now
        if self.outbox.freeze is not None:
            return now + self.outbox.freeze
        expiries = [
            datetime.fromisoformat(row["expires_at"])
            for row in self.rows().values()
            if "expires_at" in row
        ] or [now + TIMEOUT]
        over = max(expiries) + (timedelta(0) if self.polling else timedelta(seconds=1))
        return over if over > now else now + timedelta(seconds=5)

    # What became of it

    def rows(self) -> dict[str, dict[str, Any]]:
        found = [
            plain(item)
            for key, item in self.db.tables[APPROVALS_TABLE].items()
            if of_a_request(key)
        ]
        rows = self.removed | {row["approval_id"]: row for row in found}
        return {i: row for i, row in rows.items() if i not in self.altered}

    def events(self, approval_id: str) -> list[dict[str, Any]]:
        """The events of a trail as they were written, whatever was erased of them since."""
        table = self.db.tables[AUDIT_TABLE]
        written = dict(table)
        if self.erased:
            wrote = [each.write for each in self.world.writes]
            written |= {w.key: w.after for w in reversed(wrote) if w.key in table}
        found = [plain(item) for item in written.values()]
        mine = [event for event in found if event["approval_id"] == approval_id]
        return sorted(mine, key=lambda event: int(event["sequence"]))

    # AWS

    def api_call(self, operation: str, request: Mapping[str, Any]) -> Any:
        match operation:
            case "CheckpointDurableExecution":
                return self.world.call(self.durable.checkpoint(request))
            case "SendDurableExecutionCallbackSuccess" | "SendDurableExecutionCallbackFailure":
                return self.world.call(self.durable.complete(request))
            case "GetDurableExecution":
                return self.world.call(self.durable.describe(request))
            case "Invoke":
                return self.world.call(self.askers.invocation(self.world, request))
            case "Publish":
                return self.world.call(self._publish(request))
            case "SendEmail":
                return self.world.call(self._publish(by_mail(request)))
            case "PutEvents":
                return self.world.call(self._put_events(request))
            case _:
                return self.world.call(self._database(operation, request))

    def _publish(self, request: Mapping[str, Any]) -> Call:
        person = person_of(request)

        def apply(_: str) -> dict[str, Any]:
            if self.outbox.kills(request):
                self.world.die()
            if self.refuses(request):
                raise client_error("Publish", "AuthorizationError", 403)
            self.world.messages.append(request)
            if person is not None:
                self.outbox.send(self.world, request, person)
            return {"MessageId": str(len(self.world.messages))}

        touched = NOTHING if person is None else frozenset({(f"{PERSON}{person}", True)})
        return Call("Publish", touched, apply, PUBLISH_FAULTS)

    def _put_events(self, request: Mapping[str, Any]) -> Call:
        entries = request["Entries"]

        def put(taken: int) -> dict[str, Any]:
            self.outbox.bus += [json.loads(entry["Detail"]) for entry in entries[:taken]]
            refused = [{"ErrorCode": "ThrottlingException"} for _ in entries[taken:]]
            return {
                "FailedEntryCount": len(refused),
                "Entries": [{"EventId": "1"} for _ in entries[:taken]] + refused,
            }

        own = {"part": lambda: put(len(entries) - 1)}
        faults = (*PUBLISH_FAULTS, *own)
        return Call("PutEvents", NOTHING, lambda _: put(len(entries)), faults, own=own)

    def _database(self, operation: str, request: Mapping[str, Any]) -> Call:
        reads = operation in {"GetItem", "Query", "Scan"}

        def apply(token: str) -> Any:
            actor = self.world.current
            if self.denied and operation == "GetItem" and actor and actor.name in WORKFLOWS:
                self.denied -= 1
                raise client_error(operation, "AccessDeniedException", 400)
            return self.db.call(operation, request, token)

        touched = _touched(request, reads=reads)
        if self.outbox.fed and operation == "TransactWriteItems":
            touched |= {(STREAM, True)}
        own = self._own_faults(operation, request)
        outbox = all(name.startswith(_OUTBOX) for name, _ in touched)
        faults = READ_FAULTS if reads else OUTBOX_FAULTS if outbox else WRITE_FAULTS
        return Call(operation, touched, apply, (*faults, *own), own=own)

    def _own_faults(
        self, operation: str, request: Mapping[str, Any]
    ) -> Mapping[str, Callable[[], Any]]:
        """An index that does not show the last write yet; a batch of which a part is taken."""
        if "IndexName" in request and request["TableName"] == MESSAGES_TABLE:

            def lags() -> Any:
                return self.db.before_the_last_write(MESSAGES_TABLE).call(operation, request, "")

            return {"lags": lags}
        if operation == "BatchWriteItem":
            ((table, items),) = request["RequestItems"].items()

            def part() -> Any:
                self.db.call(operation, {"RequestItems": {table: items[:1]}}, "")
                return {"UnprocessedItems": {table: items[1:]}}

            return {"part": part}
        return {}


def plain(item: Item) -> dict[str, Any]:
    """An item as JSON values."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "BOOL":
            return inner
        case "N":
            return int(inner)
        case "M":
            return plain(inner)
        case "L":
            return [_plain(one) for one in inner]
        case "NULL":
            return None
        case _:
            raise NotImplementedError(kind)


def _touched(request: Mapping[str, Any], *, reads: bool) -> Footprint:
    """The rows that a call reads or writes; audit events are touched with their row only."""
    if "RequestItems" in request:
        return frozenset({(EVERY_INBOX, not reads)})
    actions = request.get("TransactItems", [{"one": request}])
    touched: set[tuple[str, bool]] = set()
    for action in actions:
        ((kind, one),) = action.items()
        if one["TableName"] == AUDIT_TABLE and kind == "Put":
            continue
        key = one.get("Key") or one.get("Item")
        if one["TableName"] == MESSAGES_TABLE:
            name = f"{MESSAGE}{key['approval_id']['S']} {key['message']['S']}" if key else None
            touched.add((name or EVERY_MESSAGE, not reads))
            continue
        if "IndexName" in one or (not key and "KeyConditionExpression" not in one):
            touched.add((EVERY_ROW, False))
            continue
        named = key["approval_id"] if key else one["ExpressionAttributeValues"][":id"]
        writes = not reads and kind != "ConditionCheck"
        if of_a_request((named["S"],)):
            touched.add((f"{ROW}{named['S']}", writes))
            continue
        touched.add((f"{_GIVEN}{named['S']}", writes))
        if writes:  # every vote before and after this is another one, whether or not it checks
            touched.add((EVERY_ROW, False))
    return frozenset(touched)
