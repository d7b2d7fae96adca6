"""What the declaration in `options` says, for those who need it as data: checks, help and docs."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from hitl_approval_cdk.hosting import HostingOptions
from hitl_approval_cdk.messaging import MessagingOptions
from hitl_approval_cdk.option import LeftOut, Option
from hitl_approval_cdk.options import DecisionOptions, Options

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declared:
    """One option with all that its declaration says.

    Attributes:
        type: as a caller sees it.
        option: its rule, default, context keys and variable.
        takes_none: whether None stands for the default.
        text: what it does, with the sentence that begins with "Default:".
    """

    type: Any
    option: Option
    takes_none: bool
    text: str

    @property
    def meaning(self) -> str:
        """What it does."""
        return self.text.partition(" Default: ")[0]

    @property
    def default_text(self) -> str:
        """Its default in words."""
        return self.text.partition(" Default: ")[2].rstrip(".")


def _declared() -> Mapping[str, Declared]:
    texts = _texts(DecisionOptions) | _texts(MessagingOptions) | _texts(HostingOptions)
    found = {}
    for name, hint in get_type_hints(Options, include_extras=True).items():
        kind, option = get_args(hint)
        members = get_args(kind)
        shown = kind[None] if LeftOut in members else kind
        takes_none = NoneType in members or LeftOut in members
        found[name] = Declared(shown, option, takes_none, texts.get(name, ""))
    return found


def _texts(cls: type) -> dict[str, str]:
    """The text below each field of a class, each on one line; none where the source is not kept."""
    try:
        # Of the module: to find a class in it, `inspect` reads it token by token, at each synth.
        source = inspect.getsource(sys.modules[cls.__module__])
    except OSError:
        return {}
    [body] = [
        each.body
        for each in ast.parse(source).body
        if isinstance(each, ast.ClassDef) and each.name == cls.__name__
    ]
    return {
        field.target.id: " ".join(ast.literal_eval(below.value).split())
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
    }


DECLARED: Final = _declared()
"""Every option by its name, in the order of the declaration."""


def lists_options(cls: type[T]) -> type[T]:
    """Show the options in a construct's signature and in its help, where `**options` stands."""
    method = cls.__dict__["__init__"]
    signature = inspect.signature(method, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if declared.takes_none else declared.option.default,
            annotation=declared.type,
        )
        for name, declared in DECLARED.items()
    ]
    vars(method)["__signature__"] = inspect.Signature([*own, *options], return_annotation=None)
    type.__setattr__(cls, "__signature__", inspect.Signature([*own[1:], *options]))
    listed = "".join(
        fill(f"{name}: {d.text}", 100, initial_indent=" " * 8, subsequent_indent=" " * 12) + "\n"
        for name, d in DECLARED.items()
    )
    before, _, after = (cls.__doc__ or "").partition("        **options: ")
    cls.__doc__ = before + listed + after.partition("\n")[2]
    return cls
