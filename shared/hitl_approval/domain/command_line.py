"""Commands as messages name them: their reader can type them as they stand."""

from __future__ import annotations


def command(*words: str, stack: str | None) -> str:
    """A command of `hitl`.

    Args:
        words: the rest of it.
        stack: what `--stack` takes for the deployment; None where the command finds it without.
    """
    return " ".join(["hitl", *words, *([] if stack is None else ["--stack", stack])])
