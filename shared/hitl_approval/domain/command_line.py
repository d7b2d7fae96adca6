"""Commands as they can be typed, and how `--stack` names a deployment."""

from __future__ import annotations

import re


def command(*words: str, stack: str | None) -> str:
    """A command of `hitl`.

    Args:
        words: the rest of it.
        stack: what `--stack` takes for the deployment; None where the command finds it without.
    """
    return " ".join(["hitl", *words, *([] if stack is None else ["--stack", stack])])


def reference(stack: str, deployment: str) -> str:
    """What `--stack` takes: the stack's name, and the deployment's where it has one of its own.

    Args:
        stack: its name.
        deployment: its construct's, of which CDK writes letters and digits alone; empty for the one
            whose outputs have plain names.
    """
    return f"{stack}/{re.sub(r'[^A-Za-z0-9]', '', deployment)}" if deployment else stack
