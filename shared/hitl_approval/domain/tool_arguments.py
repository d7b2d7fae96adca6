"""Which arguments tools have, by their JSON schemas, and which a call has of those that are named.

A misspelled name would mask nothing. Only what a schema surely does not have is refused: where it
leaves something open, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, Final

from hitl_approval.domain.edit import accept_editable
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.masking import leads_nowhere
from hitl_approval.domain.text import listed_some, shown
from hitl_approval.domain.tool_policy import ToolPolicy

MAX_DEPTH: Final = 50
"""Steps into a schema: one that goes on is taken to have what is named."""
_COMBINED: Final = ("anyOf", "oneOf", "allOf")


class ToolArguments:
    """What is known of the arguments of tools."""

    def __init__(self) -> None:
        self._schemas: dict[str, Any] = {}

    def note(self, tool: str, schema: Any) -> None:
        """A tool has these arguments.

        Args:
            tool: its name.
            schema: the JSON schema of the object of its arguments.
        """
        self._schemas[tool] = schema

    def check(
        self,
        tool: str,
        policy: ToolPolicy,
        *,
        sensitive: Sequence[str] = (),
        editable: Sequence[str] = (),
    ) -> None:
        """Refuse to ask while what should be masked or may be changed is misspelled.

        A name of a rule is an argument of a tool that the rule is for, and one that is said for
        every tool an argument of any. Of a tool that is not known here nothing is refused.

        Args:
            tool: people are to be asked about a call of it.
            policy: the rules for tools.
            sensitive: what is masked, of whichever tool.
            editable: what may be changed, of whichever tool.

        Raises:
            InvalidRequest: a name is no argument.
        """
        if tool not in self._schemas:
            return
        for pattern, rule in policy.rules:
            if fnmatchcase(tool, pattern):
                of_rule = [name for name in self._schemas if fnmatchcase(name, pattern)]
                self._check_paths("sensitive", rule.sensitive, of_rule)
                self._check_paths("editable", rule.editable, of_rule)
        self._check_paths("sensitive", sensitive, self._schemas)
        self._check_paths("editable", editable, self._schemas)

    def _check_paths(self, field: str, paths: Sequence[str], tools: Iterable[str]) -> None:
        for path in paths:
            if not any(leads(self._schemas[tool], path) for tool in tools):
                raise InvalidRequest(field, f"names {shown(path)}, which {self._not_in(tools)}")

    def _not_in(self, tools: Iterable[str]) -> str:
        names = list(tools)
        if len(names) > 1:
            return f"is no argument of any of {listed_some(names)}"
        has = self._schemas[names[0]].get("properties")
        listed = f"it has {listed_some(list(has))}" if has else "it has none"
        return f"is no argument of {names[0]}: {listed}"


def paths_there(arguments: Mapping[str, Any], paths: Sequence[str]) -> tuple[str, ...]:
    """The paths as far as they lead: of a field that an argument does not have, the argument."""
    found = []
    for path in paths:
        names = path.split(".")
        for length in range(len(names), 0, -1):
            if not leads_nowhere(arguments, ".".join(names[:length])):
                found.append(".".join(names[:length]))
                break
    return tuple(dict.fromkeys(found))


def paths_to_change(arguments: Mapping[str, Any], paths: Sequence[str]) -> tuple[str, ...]:
    """The paths that lead to values which a person can change: a model may leave arguments out."""
    found: list[str] = []
    for path in dict.fromkeys(paths):
        with suppress(InvalidRequest):
            accept_editable([*found, path], arguments)
            found.append(path)
    return tuple(found)


def leads(schema: Any, path: str) -> bool:
    """Whether a path, `customer.iban` say, may lead to something of what a JSON schema describes.

    A path through a list leads into each of its items.
    """
    return _leads(schema, path, schema, MAX_DEPTH)


def _leads(schema: Any, path: str, root: Any, depth: int) -> bool:
    if not isinstance(schema, Mapping) or depth == 0:
        return schema is not False
    if isinstance(reference := schema.get("$ref"), str):
        return _leads(_referred(root, reference), path, root, depth - 1)
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    each = [one for key in _COMBINED for one in _list(schema.get(key))]
    if "array" in kinds or "items" in schema:
        each += [*_list(schema.get("prefixItems")), schema.get("items")]
    if any(_leads(one, path, root, depth - 1) for one in each):
        return True
    if "object" in kinds or "properties" in schema:
        return _in_object(schema, path, root, depth)
    return not each and not kinds and "enum" not in schema and "const" not in schema


def _in_object(schema: Mapping[str, Any], path: str, root: Any, depth: int) -> bool:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return schema.get("additionalProperties") is not False
    if schema.get("additionalProperties", False) is not False or "patternProperties" in schema:
        return True
    return any(
        path == name
        or (path.startswith(f"{name}.") and _leads(inner, path[len(name) + 1 :], root, depth - 1))
        for name, inner in properties.items()
    )


def _referred(root: Any, reference: str) -> Any:
    """What a reference within the schema means; None, which is open, where it leads nowhere."""
    found = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if reference.startswith("#") else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
