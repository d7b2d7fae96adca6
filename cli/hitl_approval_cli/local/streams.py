"""DynamoDB streams, read for Lambda as AWS reads them: each mapping by itself, and in order.

A mapping goes on behind what its function has taken. What the function fails at is brought again,
in halves where the mapping asks for that, until it is taken, has been tried often enough or is too
old; then a record of it goes to the mapping's destination, and the mapping goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ministack.core.responses import request_scope
from ministack.services import dynamodb, lambda_svc

from hitl_approval_cli.local import functions

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Between two tries of a batch. AWS does not say how long it waits; upstream waits as long."""
IDLE_SECONDS = 0.1
"""Between two reads of a stream without news; AWS reads four times a second."""
DEFAULT_BATCH = 100
"""AWS's own default for DynamoDB streams."""

Record = Mapping[str, Any]
Found = dict[str, Any]


class Numbered(NamedTuple):
    """A record, and its place in the stream."""

    place: int
    record: Record

    @property
    def sequence_number(self) -> str:
        """What a function names it by."""
        return str(self.record["dynamodb"]["SequenceNumber"])

    @property
    def age(self) -> float:
        """Seconds since it was written."""
        written = self.record["dynamodb"].get("ApproximateCreationDateTime", time.time())
        return time.time() - float(written)


@dataclass(slots=True)
class Batch:
    """Records that are brought together.

    Attributes:
        records: those that pass the mapping's filter.
        end: the place behind its last record, filtered out or not.
        tries: how often the function has failed at exactly these.
    """

    records: Sequence[Numbered]
    end: int
    tries: int = 0


class CloudIsClosing(Exception):  # noqa: N818  not an error: what was not taken is brought later
    """Whatever the function answered, it may not have run."""


class Records:
    """What stands in the streams and was not brought to all yet: upstream forgets it at its end."""

    def get_state(self) -> list[list[Any]]:
        """Each stream's account, region and table, and its records from a position on."""
        first = self._first_positions()
        found = []
        for place, records in list(dynamodb._stream_records.all_items()):
            account, region, table = place
            begin = dynamodb._trimmed_count(table, account, region)
            brought = max(0, first.get(place, begin) - begin)
            found.append([account, region, table, begin + brought, list(records[brought:])])
        return found

    def restore(self, state: Sequence[Sequence[Any]] | None) -> None:
        """Take a state over; None for none."""
        for account, region, table, begin, records in state or ():
            dynamodb._stream_records.set_scoped(account, region, table, list(records))
            dynamodb._stream_trimmed.set_scoped(account, region, table, begin)

    @staticmethod
    def _first_positions() -> dict[tuple[str, str, str], int]:
        """Of each stream, the position up to which all of its mappings were brought."""
        first: dict[tuple[str, str, str], int] = {}
        for account, region, mapping in lambda_svc._iter_all_esms():
            if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
                continue
            with request_scope(account, region):
                table = _table_of(mapping)
                position = lambda_svc._dynamodb_stream_positions.get(mapping["UUID"], 0)
            if table is not None:
                place = (account, region, table)
                first[place] = min(first.get(place, position), position)
        return first


class Mappings:
    """One reader for each mapping of a DynamoDB stream."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}
        self._lock = threading.Lock()

    def poll(self) -> bool:
        """Start a reader for each mapping that has none; False, as nothing was read here."""
        with self._lock:
            self._readers = {uuid: r for uuid, r in self._readers.items() if r.is_alive()}
            for account, region, mapping in lambda_svc._iter_all_esms():
                uuid = mapping["UUID"]
                if ":dynamodb:" in mapping.get("EventSourceArn", "") and uuid not in self._readers:
                    self._readers[uuid] = Reader(account, region, uuid)
                    self._readers[uuid].start()
        return False


class Reader(threading.Thread):
    """Reads a stream for one mapping, until the mapping is deleted."""

    def __init__(self, account: str, region: str, uuid: str) -> None:
        super().__init__(name=f"stream-{uuid}", daemon=True)
        self._scope = account, region
        self._uuid = uuid
        self._next: list[Batch] = []  # the last one is brought first

    def run(self) -> None:
        """Bring batch after batch."""
        while True:
            with request_scope(*self._scope):
                mapping = lambda_svc._esms.get(self._uuid)
                if mapping is None:
                    return
                try:
                    waits = self._advance(mapping)
                except CloudIsClosing:
                    return
                except Exception:  # whatever it is, the stream is read on: the log has it
                    logger.exception("mapping %s", self._uuid)
                    waits = RETRY_SECONDS
            time.sleep(waits)

    def _advance(self, mapping: Found) -> float:
        """Bring one batch, if there is one; seconds to wait before the next."""
        table = _table_of(mapping)
        function, _ = lambda_svc._get_func_record_for_qualifier(
            mapping["FunctionName"], mapping.get("Qualifier")
        )
        if not mapping.get("Enabled", True) or table is None or function is None:
            return IDLE_SECONDS
        batch = self._next.pop() if self._next else self._read(mapping, table)
        if batch is None:
            return IDLE_SECONDS
        return self._bring(batch, mapping, function)

    def _read(self, mapping: Found, table: str) -> Batch | None:
        positions = lambda_svc._dynamodb_stream_positions
        horizon = dynamodb.stream_start_position(table)
        with lambda_svc._dynamodb_stream_positions_lock:
            start = max(positions.get(self._uuid, horizon), horizon)
        size = int(mapping.get("BatchSize") or DEFAULT_BATCH)
        read = dynamodb.stream_records_since(table, start, size)
        if not read:
            return None
        numbered = [Numbered(place, record) for place, record in enumerate(read, start)]
        kept = {id(record) for record in lambda_svc._apply_filter_criteria(read, mapping)}
        return Batch([one for one in numbered if id(one.record) in kept], start + len(read))

    def _bring(self, batch: Batch, mapping: Found, function: Found) -> float:
        oldest = mapping.get("MaximumRecordAgeInSeconds") or -1
        if oldest > 0 and (old := [one for one in batch.records if one.age > oldest]):
            _give_up(mapping, function, old, "RecordAgeExceeded")
            batch.records = batch.records[len(old) :]
        if not batch.records:
            self._taken(batch.end)
            return 0
        failed = self._invoke(batch, mapping, function)
        if failed is None:
            self._taken(batch.end)
            return 0
        taken, left = batch.records[:failed], batch.records[failed:]
        if taken:
            self._taken(left[0].place)
            self._next.append(Batch(left, batch.end))
        elif mapping.get("BisectBatchOnFunctionError") and len(left) > 1:
            middle = len(left) // 2
            self._next += [
                Batch(left[middle:], batch.end),
                Batch(left[:middle], left[middle].place),
            ]
        elif 0 <= _tries(mapping) <= batch.tries:
            _give_up(mapping, function, left, "RetryAttemptsExhausted")
            self._taken(batch.end)
            return 0
        else:
            self._next.append(Batch(left, batch.end, batch.tries + 1))
        return RETRY_SECONDS

    def _invoke(self, batch: Batch, mapping: Found, function: Found) -> int | None:
        """Where in the batch the function failed; None if it took all."""
        event = {"Records": [one.record for one in batch.records]}
        result = lambda_svc._execute_function(function, event)
        if functions.is_closing():
            raise CloudIsClosing
        if result.get("error") or result.get("throttle"):
            failed: int | None = 0
        else:
            failed = _first_failure(batch, result.get("body"), mapping)
        mapping["LastProcessingResult"] = "OK" if failed is None else "PROBLEM"
        return failed

    def _taken(self, position: int) -> None:
        with lambda_svc._dynamodb_stream_positions_lock:
            lambda_svc._dynamodb_stream_positions[self._uuid] = position


def _table_of(mapping: Found) -> str | None:
    arn = mapping["EventSourceArn"]
    name = arn.split("/stream/")[0].rpartition("/")[2]
    table = dynamodb._tables.get(name)
    return name if table and table.get("LatestStreamArn") == arn else None


def _tries(mapping: Found) -> int:
    """How often a batch is tried again; -1 for as long as its records live."""
    tries = mapping.get("MaximumRetryAttempts")
    return -1 if tries is None else int(tries)


def _first_failure(batch: Batch, answer: Any, mapping: Found) -> int | None:
    """The first record that a function which answers item by item did not take."""
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or ()):
        return None
    failures = answer.get("batchItemFailures") if isinstance(answer, Mapping) else None
    if not failures:
        return None
    places = {one.sequence_number: number for number, one in enumerate(batch.records)}
    # An identifier that is missing or not of this batch makes AWS take all of it for failed.
    return min(places.get(str(f.get("itemIdentifier")), 0) for f in failures)


def _give_up(mapping: Found, function: Found, records: Sequence[Numbered], condition: str) -> None:
    logger.warning("mapping %s gives up %d records: %s", mapping["UUID"], len(records), condition)
    lambda_svc._send_ddb_stream_failure_record(
        mapping,
        function,
        [one.record for one in records],
        mapping["EventSourceArn"],
        {"function_error": "Unhandled"},
        condition,
    )
