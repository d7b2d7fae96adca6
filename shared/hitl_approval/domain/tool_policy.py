"""Which tools an agent may use: at once, when people have approved the call, or not at all.

The first rule that matches a call is followed. A tool that no rule names is asked for. A rule whose
condition depends on an argument that could not be read does not match, and no rule after it allows:
nothing runs unasked that was not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, Self

from hitl_approval.domain import text
from hitl_approval.domain.condition import Condition, check_size, paths_of
from hitl_approval.domain.condition_json import condition_of
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import validate_names
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_values import seconds
from hitl_approval.domain.rule import overlap, quorum_of, quorum_to_json

MAX_TOOL_RULES = 100
"""Most rules of a policy: more than anybody reads rightly."""
MAX_PATTERN = 200
"""Characters of a pattern: more than any tool's name has."""

Action = Literal["ask", "allow", "deny"]
ACTIONS: Final[tuple[Action, ...]] = ("ask", "allow", "deny")

_KEYS = (
    "tools",
    "then",
    "when",
    "approvers",
    "quorum",
    "timeout_seconds",
    "sensitive",
    "editable",
    "once",
    "reason",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """What becomes of a call. Made by `ask`, `allow` and `deny`.

    Raises:
        ValueError: a value breaks its rule.
    """

    action: Action
    when: Condition | None = None
    approvers: Sequence[str] = ()
    quorum: Quorum | None = None
    timeout: timedelta | None = None
    sensitive: Sequence[str] = ()
    editable: Sequence[str] = ()
    once: Literal["run"] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.when is not None:
            if not isinstance(self.when, Condition):
                msg = f'when must be like field("amount") < 100, got {text.kind(self.when)}'
                raise ValueError(msg)
            check_size(self.when)
        try:
            object.__setattr__(self, "approvers", validate_names(self.approvers, "approvers"))
            for name in ("sensitive", "editable"):
                object.__setattr__(self, name, _paths(getattr(self, name), name))
            if self.reason:
                object.__setattr__(self, "reason", text.line(self.reason, "reason"))
        except InvalidRequest as error:
            raise ValueError(str(error)) from None
        if self.quorum is not None and not isinstance(self.quorum, Quorum):
            msg = f"quorum must be a Quorum, Quorum.at_least(2) say, got {text.kind(self.quorum)}"
            raise ValueError(msg)
        if self.timeout is not None and (
            not isinstance(self.timeout, timedelta)
            or self.timeout < timedelta(seconds=1)
            or self.timeout % timedelta(seconds=1)
        ):
            msg = f"timeout must be whole seconds, at least 1, got {text.shown(self.timeout)}"
            raise ValueError(msg)
        if self.once not in {None, "run"}:
            msg = f'once must be "run" or be left out, got {text.shown(self.once)}'
            raise ValueError(msg)


def ask(
    *,
    approvers: Sequence[str] = (),
    quorum: Quorum | None = None,
    timeout: timedelta | None = None,
    sensitive: Sequence[str] = (),
    editable: Sequence[str] = (),
    once: Literal["run"] | None = None,
    when: Condition | None = None,
) -> ToolRule:
    """People decide about each call.

    Args:
        approvers: people or groups. Default: who is asked where no rule names anybody.
        quorum: how many must approve. Default: one of the approvers that this rule names.
        timeout: time to decide, whole seconds. Default: that of the run or the deployment.
        sensitive: arguments, or fields of them as `customer.iban`, that no message shows; with them
            the model's own words. Default: none.
        editable: arguments, or fields of them, that an approver may change. Default: none.
        once: `"run"`: the same call, with the same arguments, is asked once in a run of the agent,
            and the answer holds for its repetitions. Default: each is asked.
        when: of the arguments, as `field("amount") >= 100`. Default: of every call.

    Raises:
        ValueError: a value breaks its rule.
    """
    return ToolRule(
        action="ask",
        when=when,
        approvers=approvers,
        quorum=quorum,
        timeout=timeout,
        sensitive=sensitive,
        editable=editable,
        once=once,
    )


def allow(*, when: Condition | None = None) -> ToolRule:
    """The call runs at once, and nobody is asked.

    Args:
        when: of the arguments, as `field("amount") < 100`. Default: of every call.

    Raises:
        ValueError: `when` is no condition.
    """
    return ToolRule(action="allow", when=when)


def deny(reason: str = "", *, when: Condition | None = None) -> ToolRule:
    """The call does not run, and nobody is asked; the agent is answered so.

    Args:
        reason: one line for the agent. Default: none.
        when: of the arguments. Default: of every call.

    Raises:
        ValueError: a value breaks its rule.
    """
    return ToolRule(action="deny", when=when, reason=reason)


@dataclass(frozen=True, slots=True)
class ToolRuling:
    """What a policy says of one call.

    Attributes:
        action: what becomes of it.
        rule: the rule that says so; None where no rule matched, or the one that matched may not
            allow what was not read.
        sensitive: arguments that no message shows, by every rule for this tool.
        reads: arguments that a condition of a rule for this tool reads.
    """

    action: Action
    rule: ToolRule | None = None
    sensitive: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()

    def check_editable(self, paths: Sequence[str]) -> None:
        """Refuse that an approver changes what says who decides.

        Raises:
            InvalidRequest: a rule for this tool reads what one of these paths names.
        """
        for path in paths:
            read = next((one for one in sorted(self.reads) if overlap(one, path)), None)
            if read is not None:
                raise InvalidRequest(
                    "editable",
                    f"names {text.shown(path)}, and a rule for this tool reads {read}: who "
                    f"decides may not change what says who decides",
                )


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """Rules for tools, in the order in which they are tried.

    Attributes:
        rules: pairs of a pattern of tools' names, as `delete_*`, and a rule. Case makes a
            difference.

    Raises:
        ValueError: too many, or one that is none.
    """

    rules: tuple[tuple[str, ToolRule], ...] = ()

    def __post_init__(self) -> None:
        if len(self.rules) > MAX_TOOL_RULES:
            msg = f"tools must have at most {MAX_TOOL_RULES} rules, got {len(self.rules)}"
            raise ValueError(msg)
        for pattern, rule in self.rules:
            if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN:
                msg = (
                    f"tools must name tools by patterns of 1 to {MAX_PATTERN} characters, "
                    f"delete_* say, got {text.shown(pattern)}"
                )
                raise ValueError(msg)
            if not isinstance(rule, ToolRule):
                msg = (
                    f"tools: {text.shown(pattern)} must be ask(), allow() or deny(), "
                    f"got {text.kind(rule)}"
                )
                raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed

    @classmethod
    def of(cls, tools: ToolPolicy | Mapping[str, Any] | Sequence[Any] | None) -> Self:
        """A policy as it is written in Python or in JSON.

        Args:
            tools: `{"delete_*": ask(approvers=["ops"]), "refund": [allow(when=...), ask()]}`, or
                a list as `to_json` writes it. None: people are asked for every tool.

        Raises:
            ValueError: it is something else.
        """
        if isinstance(tools, ToolPolicy):
            return cls(tools.rules)
        if tools is None:
            return cls()
        if isinstance(tools, Mapping):
            return cls(tuple(_pairs(tools)))
        return cls.from_json(tools)

    def rule_on(self, tool: str, arguments: Mapping[str, Any]) -> ToolRuling:
        """What becomes of a call.

        Args:
            tool: its name.
            arguments: JSON values by name.
        """
        of_tool = [rule for pattern, rule in self.rules if fnmatchcase(tool, pattern)]
        sensitive = tuple(dict.fromkeys(path for rule in of_tool for path in rule.sensitive))
        conditions = [rule.when for rule in of_tool if rule.when is not None]
        reads = frozenset().union(*map(paths_of, conditions))
        all_read = True
        for rule in of_tool:
            said = None if rule.when is None else rule.when.read(arguments)
            all_read = all_read and (said is None or not said.unread)
            if said is not None and not said.holds:
                continue
            if rule.action == "allow" and not all_read:
                break
            return ToolRuling(rule.action, rule, sensitive, reads)
        return ToolRuling("ask", None, sensitive, reads)

    def to_json(self) -> list[dict[str, Any]]:
        """The rules as JSON values, which a file can hold."""
        return [_to_json(pattern, rule) for pattern, rule in self.rules]

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Read back what `to_json` wrote, or somebody.

        Raises:
            ValueError: naming the place and what it must be.
        """
        if not isinstance(values, list):
            msg = f"tools must be a list of objects, got {text.kind(values)}"
            raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
        return cls(tuple(_of_json(each, f"tools[{n}]") for n, each in enumerate(values)))


def _pairs(tools: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for pattern, given in tools.items():
        for rule in given if isinstance(given, list | tuple) else (given,):
            yield pattern, rule


def _to_json(pattern: str, rule: ToolRule) -> dict[str, Any]:
    optional = {
        "when": None if rule.when is None else rule.when.to_json(),
        "approvers": list(rule.approvers),
        "quorum": rule.quorum and quorum_to_json(rule.quorum),
        "timeout_seconds": rule.timeout and int(rule.timeout.total_seconds()),
        "sensitive": list(rule.sensitive),
        "editable": list(rule.editable),
        "once": rule.once,
        "reason": rule.reason,
    }
    said = {name: value for name, value in optional.items() if value}
    return {"tools": pattern, "then": rule.action, **said}


def _of_json(values: Any, where: str) -> tuple[str, ToolRule]:
    if not isinstance(values, Mapping):
        msg = f"{where} must be an object, got {text.kind(values)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    unknown = [name for name in values if name not in _KEYS]
    if unknown:
        msg = f"{where} has {text.shown(unknown[0])}, which no rule knows: use {', '.join(_KEYS)}"
        raise ValueError(msg)
    then = values.get("then", "ask")
    if then not in ACTIONS:
        msg = f"{where}.then must be ask, allow or deny, got {text.shown(then)}"
        raise ValueError(msg)
    of_asking = ("approvers", "quorum", "timeout_seconds", "sensitive", "editable", "once")
    foreign = of_asking if then != "ask" else ()
    foreign = foreign if then == "deny" else (*foreign, "reason")
    for name in foreign:
        if name in values:
            msg = f"{where} has {name}, which {then} does not take"
            raise ValueError(msg)
    try:
        rule = ToolRule(
            action=then,
            when=condition_of(values["when"], f"{where}.when") if "when" in values else None,
            approvers=values.get("approvers", ()),
            quorum=quorum_of(values["quorum"], where) if "quorum" in values else None,
            timeout=(
                seconds(values["timeout_seconds"], "timeout_seconds")
                if "timeout_seconds" in values
                else None
            ),
            sensitive=values.get("sensitive", ()),
            editable=values.get("editable", ()),
            once=values.get("once"),
            reason=values.get("reason", ""),
        )
    except (InvalidRequest, TypeError, ValueError) as error:
        said = str(error)
        raise ValueError(said if said.startswith(where) else f"{where}: {said}") from None
    return values.get("tools", ""), rule


def _paths(paths: Any, name: str) -> tuple[str, ...]:
    if isinstance(paths, str | bytes | Mapping) or not isinstance(paths, Sequence):
        raise InvalidRequest(name, f"must be a list of arguments, got {text.kind(paths)}")
    return tuple(dict.fromkeys(text.line(path, name) for path in paths))
