"""What belongs to an option: the variable by which functions read it."""

from __future__ import annotations

from hitl_approval.contract import Env
from hitl_approval_cdk.declaration import DECLARED


def test_should_read_each_variable_where_it_is_set() -> None:
    names = [d.option.variable.name for d in DECLARED.values() if d.option.variable]
    assert len(set(names)) == len(names)
    assert set(names) <= {value for key, value in vars(Env).items() if key.isupper()}
