"""What infrastructure and runtime agree on is written once, in `contract.py` and `routes.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitl_approval import contract, routes
from hitl_approval.contract import Audit, Inbox, Table

ROOT = Path(__file__).parents[2]
SOURCES = ("shared", "stacks", "lambdas", "cli", "app.py")
WORDS = {
    # Construct and class of that name.
    ("stacks/hitl_approval_cdk/__init__.py", contract.Metrics.NAMESPACE),
    # The emulator reads a variable that is called the same.
    ("cli/hitl_approval_cli/local/server.py", contract.Env.LOG_LEVEL),
}
"""Where the same letters mean something else."""


def strings(*groups: type) -> set[str]:
    values = [v for group in groups for k, v in vars(group).items() if k.isupper()]
    return {value for value in values if isinstance(value, str)}


GROUPS = [
    group
    for module in (contract, routes)
    for group in vars(module).values()
    if isinstance(group, type) and group.__module__ == module.__name__
]
NAMES = {
    *(name for name in strings(*GROUPS) if not re.fullmatch(r"[a-z0-9_-]+|/", name)),
    *(contract.ALIAS, contract.TASK_TOKEN, Table.ATTENTION_AT),
}
"""All but ordinary words and a slash, which mean other things elsewhere."""
KEYS = {
    "shared/hitl_approval/adapters/dynamodb.py": strings(Table, Audit),
    "shared/hitl_approval/adapters/inbox.py": strings(Inbox),
    "stacks/hitl_approval_cdk/permissions.py": strings(Table, Audit, Inbox),
    "stacks/hitl_approval_cdk/tables.py": strings(Table, Audit, Inbox),
}
"""Where ordinary words are keys."""


def literals(path: Path) -> Iterator[str]:
    """The strings of a module, whatever quotes they are in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def modules() -> list[str]:
    found = [path for source in SOURCES for path in (ROOT / source).rglob("*.py")]
    homes = {contract.__file__, routes.__file__}
    return ["app.py", *(str(p.relative_to(ROOT)) for p in found if str(p) not in homes)]


@pytest.mark.parametrize("module", modules())
def test_should_write_no_name_of_the_contract_a_second_time(module: str) -> None:
    again = (NAMES | KEYS.get(module, set())) & set(literals(ROOT / module))
    assert {name for name in again if (module, name) not in WORDS} == set()
