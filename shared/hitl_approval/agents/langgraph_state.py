"""What a LangGraph graph has come to, as text: its checkpoints, in and out of memory."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver


def dumped(saver: InMemorySaver, thread: str) -> str:
    """The newest checkpoint of the graph and of each graph in it, and what was written since.

    Older ones are left out: nothing is resumed from them.
    """
    checkpoints: list[Any] = []
    writes: list[Any] = []
    blobs: list[Any] = []
    for namespace, of_graph in saver.storage[thread].items():
        newest = max(of_graph)  # ids are in the order of time
        checkpoint, metadata, _ = of_graph[newest]
        checkpoints.append([namespace, newest, list(checkpoint), list(metadata)])
        written = saver.writes.get((thread, namespace, newest), {})
        writes += [[namespace, newest, list(key), *write] for key, write in written.items()]
        versions = saver.serde.loads_typed(checkpoint)["channel_versions"]
        for channel, version in versions.items():
            if blob := saver.blobs.get((thread, namespace, channel, version)):
                blobs.append([namespace, channel, version, list(blob)])
    _, packed = saver.serde.dumps_typed([checkpoints, writes, blobs])
    return b64encode(packed).decode()


def loaded(state: str, thread: str) -> InMemorySaver:
    """A saver that has what `dumped` has written."""
    saver = InMemorySaver()
    checkpoints, writes, blobs = saver.serde.loads_typed(("msgpack", b64decode(state)))
    for namespace, newest, checkpoint, metadata in checkpoints:
        saver.storage[thread][namespace][newest] = (tuple(checkpoint), tuple(metadata), None)
    for namespace, newest, (task, index), of_task, channel, value, path in writes:
        key = (thread, namespace, newest)
        saver.writes[key][task, index] = (of_task, channel, tuple(value), path)
    for namespace, channel, version, blob in blobs:
        saver.blobs[thread, namespace, channel, version] = tuple(blob)
    return saver
