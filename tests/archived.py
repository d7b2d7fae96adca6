"""An archive as a deployment keeps it: a bucket with Object Lock and a key that signs."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


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


class SigningKms:
    """KMS with keys of ECC_NIST_P256. Not moto's, which hashes a digest again that it is given."""

    def __init__(self) -> None:
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.down = False

    def create(self) -> str:
        """Make a key; its ARN."""
        arn = f"arn:aws:kms:us-east-1:123456789012:key/{len(self.keys) + 1}"
        self.keys[arn] = ec.generate_private_key(ec.SECP256R1())
        return arn

    def sign(self, **asked: Any) -> dict[str, bytes]:
        """See KMS."""
        return {"Signature": self._key(asked).sign(asked["Message"], _algorithm(asked))}

    def verify(self, **asked: Any) -> dict[str, bool]:
        """See KMS."""
        public = self._key(asked).public_key()
        try:
            public.verify(asked["Signature"], asked["Message"], _algorithm(asked))
        except InvalidSignature:
            code: Any = {"Error": {"Code": "KMSInvalidSignatureException"}}
            raise ClientError(code, "Verify") from None
        return {"SignatureValid": True}

    def get_public_key(self, **asked: Any) -> dict[str, bytes]:
        """See KMS."""
        public = self._key(asked).public_key()
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}

    def _key(self, asked: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
        if self.down:
            raise ClientError({"Error": {"Code": "DisabledException"}}, "Sign")
        return self.keys[asked["KeyId"]]


def _algorithm(asked: dict[str, Any]) -> ec.ECDSA:
    assert (asked["MessageType"], asked["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
    return ec.ECDSA(utils.Prehashed(hashes.SHA256()))
