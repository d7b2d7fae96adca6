"""The ARN of a durable execution."""

from __future__ import annotations

from typing import NamedTuple


class ExecutionArn(NamedTuple):
    """The parts of `arn:aws:lambda:R:A:function:NAME:VERSION/durable-execution/EXECUTION/ID`."""

    region: str
    account: str
    function: str
    version: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> ExecutionArn:
        """Take an ARN apart.

        Raises:
            ValueError: it is none of a durable execution.
        """
        qualified, _, rest = arn.partition("/durable-execution/")
        *_, region, account, _, function, version = qualified.split(":")
        return cls(region, account, function, version, rest.split("/", maxsplit=1)[0])
