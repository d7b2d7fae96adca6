"""`hitl` over a deployment in memory, in a process of its own: `python -m tests.cli.piped list`."""

from __future__ import annotations

import os
from typing import Any

from hitl_approval.testing import in_memory
from hitl_approval_cli import main
from hitl_approval_cli.deployment import Deployment
from tests.anything import any_opening

from .fake_cloud import FakeCloud

if __name__ == "__main__":
    world = in_memory()
    world.store.create(any_opening(approval_id="a" * 32, now=world.clock.now()))
    cloud = FakeCloud(world)

    def client(_: Deployment, service: str) -> Any:
        return cloud.client(service)

    setattr(Deployment, "client", client)  # noqa: B010  as monkeypatch does it
    os.environ["HITL_USER"] = "bob"
    main.main()
