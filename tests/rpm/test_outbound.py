"""Outbound: addresses that are refused, and a connection that goes nowhere else and ends."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from receiver import Receiver, answered, receiving

from rpm.outbound import Told, tell
from rpm.outbound_address import (
    AddressRefusedError,
    first_allowed,
    is_public,
    receiver_of,
    resolved,
)

REFUSED_URLS = [
    "http://example.org/events",
    "ftp://example.org/",
    "https://",
    "https:///path",
    "events.example.org",
    "https://user:pass@example.org/",
    "https://example.org/#part",
    "https://example.org\\@127.0.0.1/",
    "https://example.org/ a",
    "https://example.org/\n",
    "https://exämple.org/",
    "https://example.org:99999/",
    "https://[::1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://10.0.0.7/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:10.0.0.7]/",
    "https://[fd00::1]/",
    "https://[fe80::1%25eth0]/",
    "https://0.0.0.0/",
    "https://example.org/" + "a" * 500,
]
PRIVATE = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
    *("192.168.1.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1"),
    *("2001:db8::1", "2001::1", "2002:7f00:1::", "fc00::1", "fe80::1", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_an_address_that_may_not_be_used(url: str) -> None:
    """Only https, to a host that is no private address however it is written."""
    with pytest.raises(AddressRefusedError):
        receiver_of(url, [])


def test_a_public_address() -> None:
    """Host and port are those of the URL."""
    found = receiver_of("https://Events.Example.org.:8443/rpm?x=1", [])
    assert (found.host, found.port, found.listed) == ("events.example.org", 8443, False)


def test_a_listed_host_may_be_private_and_plain() -> None:
    """What the installation lists, by host or by host and port, and no other."""
    assert receiver_of("http://10.0.0.7:9000/x", ["10.0.0.7:9000"]).listed
    assert receiver_of("http://queue.internal/x", ["Queue.internal"]).listed
    with pytest.raises(AddressRefusedError):
        receiver_of("http://10.0.0.7:9001/x", ["10.0.0.7:9000"])


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_that_is_not_public(text: str) -> None:
    """Private, loopback, link-local, shared, reserved, and those that lead to one of them."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_that_is_public(text: str) -> None:
    """Everybody's."""
    assert is_public(ip_address(text))


def test_one_private_address_among_several_refuses_all() -> None:
    """A name that also leads inside leads nowhere."""
    assert first_allowed(["8.8.8.8", "1.1.1.1"], listed=False) == "8.8.8.8"
    with pytest.raises(AddressRefusedError):
        first_allowed(["8.8.8.8", "127.0.0.1"], listed=False)
    with pytest.raises(AddressRefusedError):
        first_allowed([], listed=True)


def test_localhost_by_name_is_refused() -> None:
    """The name is resolved when it is sent, and what it leads to is checked then."""
    with pytest.raises(AddressRefusedError):
        resolved(receiver_of("https://localhost/", []))
    assert tell(receiver_of("https://localhost/", []), {}, b"") == Told(
        None, "the name does not lead to a public address"
    )


def to(receiver: Receiver, **options: float) -> Told:
    """A message to the receiver."""
    where = receiver_of(receiver.url, [receiver.host])
    return tell(where, {"webhook-id": "1"}, b"{}", **options)  # type: ignore[arg-type] - numbers only


def test_a_message_arrives() -> None:
    """Path, headers and body as they are; the host header names the receiver."""
    with receiving() as receiver:
        assert to(receiver) == Told(200)
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["webhook-id"]) == ("/events", b"{}", "1")
    assert got.headers["host"] == receiver.host


def test_the_name_is_resolved_once() -> None:
    """The connection goes to the address that was checked, wherever the name leads later."""
    asked = []
    with receiving() as receiver:
        port = int(receiver.host.split(":")[1])
        rebinding = receiver_of(f"http://rebinding.example:{port}/events", ["rebinding.example"])

        def resolve(where: object) -> str:
            asked.append(where)
            return "127.0.0.1" if len(asked) == 1 else "192.0.2.1"

        assert tell(rebinding, {}, b"{}", resolve=resolve) == Told(200)
    assert (len(asked), receiver.got[0].headers["host"]) == (1, f"rebinding.example:{port}")


def test_a_redirect_is_not_followed() -> None:
    """It is an answer like another; the place it names is not asked."""
    with receiving() as receiver, receiving() as elsewhere:
        receiver.answer = lambda request: answered(request, 307, Location=elsewhere.url)
        assert to(receiver) == Told(307)
    assert elsewhere.got == []


def test_an_endless_body_is_not_read() -> None:
    """The status is enough: what follows is left where it is."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 65536)
        except OSError:
            pass

    with receiving() as receiver:
        receiver.answer = endless
        began = monotonic()
        assert to(receiver) == Told(200)
        assert monotonic() - began < 5


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
    """Byte by byte is no answer either, nor is silence."""

    def trickle(request: BaseHTTPRequestHandler) -> None:
        try:
            for _ in range(100):
                request.wfile.write(b"H")
                sleep(0.05)
        except OSError:
            pass

    with receiving() as receiver:
        receiver.answer = trickle
        began = monotonic()
        assert to(receiver, deadline_seconds=0.5) == Told(None, "no answer in time")
        assert monotonic() - began < 3


def test_what_is_no_answer() -> None:
    """Something else than HTTP, and nobody there."""

    def rubbish(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 mail.example.org ESMTP\r\n")

    with receiving() as receiver:
        receiver.answer = rubbish
        assert to(receiver) == Told(None, "the answer is not HTTP")
    told = to(receiver)
    assert (told.status, told.problem.split(":")[0]) == (None, "the receiver cannot be reached")


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A TLS server with a certificate for a name, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "server.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + plain)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    trusting = ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                with serving.wrap_socket(connection, server_side=True) as wrapped:
                    heard = wrapped.recv(65536)
                    while heard and not heard.endswith(b"{}"):
                        heard += wrapped.recv(65536)
                    wrapped.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1], trusting
        thread.join(5)


@pytest.mark.parametrize(
    ("certified", "expected"),
    [
        ("receiver.example", Told(204)),
        ("other.example", Told(None, "the receiver cannot be reached: ConnectError")),
    ],
)
def test_a_certificate_is_held_against_the_name(
    tmp_path: Path, certified: str, expected: Told
) -> None:
    """Though the connection goes to an address, the certificate must be the name's."""
    with tls_server(tmp_path, certified) as (port, trusting):
        where = receiver_of(f"https://receiver.example:{port}/", ["receiver.example"])
        told = tell(where, {}, b"{}", resolve=lambda _: "127.0.0.1", ssl_context=trusting)
    assert told == expected
