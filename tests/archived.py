"""An archive as a deployment keeps it: a bucket with Object Lock and a key that signs."""

from __future__ import annotations

from typing import Any


def make_bucket(s3: Any, name: str, *, days: int = 3_653) -> None:
    """A bucket as the construct makes it."""
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": days}},
        },
    )
