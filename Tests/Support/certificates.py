#!/usr/bin/env python3
"""Makes throw-away certificates for tests in a folder. They are valid for a day.

    certificates.py FOLDER [NAME...]

With names, makes only what these need. Each NAME becomes NAME.pem (the certificate and, if there is one, its
intermediate) and NAME.key:

    ca            root, ECDSA P-256             server         localhost, 127.0.0.1, ::1; by ca
    rsa-root      root, RSA-4096                rsa-server     the same names, RSA-2048; by rsa-intermediate
    other-ca      a root that signed nothing    wrong-name     broker.example.org, 192.0.2.1; by ca
    client        for a client; by ca           expired        expired yesterday; by ca
    other-client  for a client; by other-ca     not-yet-valid  valid from tomorrow; by ca

It also makes rsa-ca-chain.pem: rsa-intermediate and rsa-root with an empty line between them, as platforms deliver it.
"""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Plan:
    """How one certificate is made."""

    subject: str
    issuer: str | None = None
    names: tuple[str, ...] = ()
    is_ca: bool = False
    rsa_bits: int | None = None
    is_client: bool = False
    #: Validity in days from now.
    valid: tuple[int, int] = (-1, 1)


LOCAL = ("localhost", "127.0.0.1", "::1")
PLANS = {
    "ca": Plan("Test CA", is_ca=True),
    "server": Plan("localhost", "ca", LOCAL),
    "wrong-name": Plan("broker.example.org", "ca", ("broker.example.org", "192.0.2.1")),
    "expired": Plan("expired.localhost", "ca", LOCAL, valid=(-10, -1)),
    "not-yet-valid": Plan("early.localhost", "ca", LOCAL, valid=(1, 10)),
    "client": Plan("client-1", "ca", is_client=True),
    "other-ca": Plan("Other CA", is_ca=True),
    "other-client": Plan("client-2", "other-ca", is_client=True),
    "expired-ca": Plan("Expired CA", is_ca=True, valid=(-10, -1)),
    "expired-ca-server": Plan("localhost", "expired-ca", LOCAL),
    "rsa-root": Plan("Test RSA Root", is_ca=True, rsa_bits=4096),
    "rsa-intermediate": Plan("Test RSA Intermediate", "rsa-root", is_ca=True, rsa_bits=4096),
    "rsa-server": Plan("localhost", "rsa-intermediate", LOCAL, rsa_bits=2048),
}


class Authority:
    """Makes certificates according to PLANS, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, tuple[x509.Certificate, PrivateKey]] = {}

    def make(self, name: str) -> tuple[x509.Certificate, PrivateKey]:
        if name in self._made:
            return self._made[name]
        plan = PLANS[name]
        key: PrivateKey = (
            rsa.generate_private_key(public_exponent=65537, key_size=plan.rsa_bits)
            if plan.rsa_bits
            else ec.generate_private_key(ec.SECP256R1())
        )
        issuer_certificate, issuer_key = self.make(plan.issuer) if plan.issuer else (None, key)
        certificate = _build(plan, key, issuer_certificate).sign(issuer_key, hashes.SHA256())
        self._made[name] = (certificate, key)
        self._write(name, plan, certificate, key)
        return self._made[name]

    def _write(self, name: str, plan: Plan, certificate: x509.Certificate, key: PrivateKey) -> None:
        chain = [certificate]
        # A file contains the intermediate that signed its certificate, but never the root.
        if plan.issuer is not None and PLANS[plan.issuer].issuer is not None:
            chain.append(self._made[plan.issuer][0])
        (self._folder / f"{name}.pem").write_bytes(b"".join(map(_pem, chain)))
        key_file = self._folder / f"{name}.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        if name == "rsa-intermediate":
            root, _ = self.make("rsa-root")
            (self._folder / "rsa-ca-chain.pem").write_bytes(_pem(certificate) + b"\n" + _pem(root))


def _build(plan: Plan, key: PrivateKey, issuer: x509.Certificate | None) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, plan.subject)])
    issuer_key_id = (
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        )
        if issuer is not None
        else x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + plan.valid[0] * DAY)
        .not_valid_after(now + plan.valid[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=plan.is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key_id, critical=False)
        .add_extension(_key_usage(plan.is_ca), critical=True)
    )
    if plan.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(_general_name, plan.names)), critical=False)
    if not plan.is_ca:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if plan.is_client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    for name in sys.argv[2:] or PLANS:
        authority.make(name)


if __name__ == "__main__":
    main()
