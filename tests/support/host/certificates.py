"""Certificates that tests make for servers of their own."""

import datetime as dt
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.host.scripted_host import ScriptedHost


def self_signed(name: str, folder: Path) -> Path:
    """Make a certificate for one server name alone, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "pair.pem"
    kind, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(kind, shape, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(kind))
    return file


def secured(server: ScriptedHost, certificate: Path) -> ScriptedHost:
    """Let a server that has not been entered yet speak HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server
