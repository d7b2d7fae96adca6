"""`docs/construct.md` and the context keys in `docs/deploy.md`, written by `make docs`.

The options come from their declaration, the rest from docstrings and signatures.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import hitl_approval_cdk
from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
    HitlApprovalOptions,
    HitlApprovalStack,
    Monitoring,
    OnTimeout,
    Organization,
    Quorum,
    SqsApprover,
    outputs,
)
from hitl_approval_cdk.context import KEYS
from hitl_approval_cdk.declaration import DECLARED
from hitl_approval_cdk.page_api import DeployedPage

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "construct.md"
DEPLOY = DOCS / "deploy.md"
PREFACE = Path(__file__).parent / "construct_preface.md"
CONTEXT_KEYS = re.compile(r"(?<=\n## Context keys\n)(.*?)\| context key .*?\n(?=\n)", re.DOTALL)
VALUES = (ApprovalPage, Organization, EmailApprover, SqsApprover, Quorum, OnTimeout, Monitoring)
NO_PARTS = (HitlApproval, HitlApprovalStack, HitlApprovalOptions, *VALUES)


def page() -> str:
    """The whole page about the construct."""
    text = PREFACE.read_text(encoding="utf-8")
    parts = [getattr(hitl_approval_cdk, name) for name in hitl_approval_cdk.__all__]
    for marker, written in {
        "options": options(),
        "attributes": table(("attribute", "what it is"), attributes(HitlApproval)),
        "page": table(("attribute", "what it is"), attributes(DeployedPage)),
        "methods": table(("method", "what it does"), methods()),
        "values": table(("value", "what it is"), values()),
        "parts": table(
            ("part", "what it is"),
            ((f"`{part.__name__}`", summary(part)) for part in parts if part not in NO_PARTS),
        ),
        "outputs": table(
            ("output", "what it is"),
            ((f"`{name}`", what) for name, what in outputs.DESCRIPTIONS.items()),
        ),
    }.items():
        assert text.count(f"<!-- {marker} -->\n") == 1, marker
        text = text.replace(f"<!-- {marker} -->\n", written)
    return text


def options() -> str:
    """The table of options."""
    return table(
        ("option", "type", "default", "what it does", "context key"),
        (
            (
                f"`{name}`",
                spoken(declared.type),
                declared.default_text,
                declared.meaning,
                ", ".join(f"`{key.name}`" for key in declared.option.keys),
            )
            for name, declared in DECLARED.items()
        ),
    )


def deploy_page(text: str) -> str:
    """The page about deploying, with its table of context keys written anew."""
    return CONTEXT_KEYS.sub(lambda found: found[1] + context_keys(), text)


def context_keys() -> str:
    """The table of context keys."""
    rows = [
        (
            "`stack_name`",
            "a letter, then letters, digits and hyphens",
            f"`{DEFAULT_STACK_NAME}`",
            "Name of the stack; the approvals table is named `<stack>-ApprovalRequests`.",
        )
    ]
    for name, key in KEYS.values():
        declared = DECLARED[name]
        default = key.default or plain_default(declared.option.default) or declared.default_text
        rows.append(
            (
                f"`{key.name}`",
                key.takes,
                default if " " in default or default == "none" else f"`{default}`",
                key.meaning or declared.meaning,
            )
        )
    return table(("context key", "value", "default", "what it does"), rows)


def plain_default(value: Any) -> str:
    """A default as `-c` would give it; nothing for what it cannot give."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | str) else ""


def spoken(kind: Any) -> str:
    """A type as one would write it, without None and without modules."""
    if typing.get_origin(kind) in {typing.Union, UnionType}:
        return " or ".join(spoken(k) for k in typing.get_args(kind) if k is not NoneType)
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f'`"{value}"`' for value in typing.get_args(kind))
    written = str(kind) if typing.get_args(kind) else kind.__name__
    return f"`{re.sub(r'(?:[a-z_]+[.])+', '', written)}`".replace(" | ", " or ")


def attributes(of: type) -> list[tuple[str, str]]:
    """What a class says in its docstring about its attributes."""
    section = (inspect.getdoc(of) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\w|\Z)", section + "\n", re.MULTILINE | re.DOTALL)
    assert found, of
    return [(f"`{name}`", sentence(what)) for name, what in found]


def methods() -> Iterable[tuple[str, str]]:
    """The public methods of the construct, those of its bases in this package as well."""
    for cls in reversed(HitlApproval.__mro__):
        if not cls.__module__.startswith("hitl_approval_cdk"):
            continue
        for name, method in vars(cls).items():
            if name.startswith("_") or not (callable(method) or isinstance(method, classmethod)):
                continue
            taken = inspect.signature(getattr(HitlApproval, name)).parameters.values()
            names = [p.name for p in taken if p.kind is not p.VAR_KEYWORD]
            yield (
                f"`{name}({', '.join(n for n in names if n != 'self')})`",
                summary(getattr(HitlApproval, name)),
            )


def values() -> Iterable[tuple[str, str]]:
    """What options take: each class by its factories, or with its fields."""
    for cls in VALUES:
        factories = [name for name, made in vars(cls).items() if isinstance(made, classmethod)]
        for name in factories:
            factory = getattr(cls, name)
            taken = ", ".join(inspect.signature(factory).parameters)
            yield f"`{cls.__name__}.{name}({taken})`", summary(factory)
        if not factories:
            fields = " ".join(f"{name}: {what}" for name, what in attributes(cls))
            taken = ", ".join(inspect.signature(cls).parameters)
            yield f"`{cls.__name__}({taken})`", f"{summary(cls)} {fields}"


def summary(of: Any) -> str:
    """The first sentence or two of a docstring, up to the first empty line."""
    return " ".join((inspect.getdoc(of) or "").partition("\n\n")[0].split())


def sentence(text: str) -> str:
    """A text on one line, with a capital letter."""
    joined = " ".join(text.split())
    return joined[0].upper() + joined[1:]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return (
        "".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
        )
        .replace("| --- ", "|---")
        .replace("|---|", "|---|")
    )


def write() -> None:
    """Write both pages."""
    FILE.write_text(page(), encoding="utf-8")
    DEPLOY.write_text(deploy_page(DEPLOY.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
