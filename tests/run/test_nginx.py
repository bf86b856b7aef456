"""The shipped nginx configuration: nginx accepts it, and it works in front of a real portal."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import socket
import ssl
import subprocess
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.revision import REPOSITORY
from config.settings import Settings
from local.child_processes import free_port
from portal.platform import clock
from tests.local.conftest import temporary_data_folder
from tests.run.test_supervisor import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

SLOW_CONNECTIONS = 400
NAME = "attendance.example.gov.uk"
SHIPPED = (REPOSITORY / "config" / "nginx.conf").read_text(encoding="utf-8")


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attendance.example.gov.uk")])
    day = timedelta(days=1)
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)


class Proxy:
    """An nginx with the shipped file, its ports and paths replaced and nothing else."""

    def __init__(self, folder: Path, portal_port: int, text: str = SHIPPED) -> None:
        """Write its configuration; `portal_port` is where the portal listens."""
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        _certificate(folder)
        text = text.replace("user www-data;", "")  # only root could become another user
        text = re.sub(r"listen \[::\]:\d+[^;]*;", "", text)
        text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{self.http_port}", text)
        text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{self.https_port}", text)
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        for shipped, replacement in (
            ("/run/nginx.pid", str(folder / "nginx.pid")),
            ("/var/log/nginx", str(folder)),
            ("/etc/ssl/portal", str(folder)),
            ("server 127.0.0.1:8000", f"server 127.0.0.1:{portal_port}"),
            ("http {", "http { " + temporary),
        ):
            assert shipped in text
            text = text.replace(shipped, replacement)
        (folder / "nginx.conf").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run nginx to its end."""
        assert NGINX is not None
        command = [NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Request a page over TLS."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, timeout=10, context=context)
        connection.request("GET", path, headers={"Host": NAME, **headers})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), body


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """An nginx in front of a small portal."""
    with temporary_data_folder() as folder:
        portal = Portal(folder, PORTAL_TRUSTED_PROXIES="1")
        server = Proxy(folder, portal.port)
        started = server.run("-g", "daemon on;")
        assert started.returncode == 0, started.stderr
        yield server
        server.run("-s", "stop")
        portal.wait_for_end(signal.SIGINT)


def test_the_shipped_file_is_accepted(proxy: Proxy) -> None:
    """Nginx's own check gives no warning, except about this machine's limit of open files."""
    check = proxy.run("-t")
    assert check.returncode == 0
    assert [line for line in check.stderr.splitlines() if "warn" in line and "open file resource limit" not in line] == []


def test_bodies_are_limited_by_the_portals_own_number() -> None:
    """The largest file and the form around it pass, and hardly more. What nginx calls m is 1,048,576 bytes."""
    text = (REPOSITORY / "config" / "nginx.conf").read_text(encoding="utf-8")
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert 1_000_000 < int(megabytes) * 1_048_576 - Settings().upload_limit < 6_000_000
    assert f"limits bodies to {megabytes} MB" in (REPOSITORY / "docs" / "production.md").read_text(encoding="utf-8")


def test_public_pages_are_passed_on_and_metrics_are_not(proxy: Proxy) -> None:
    """The health pages are passed on and metrics are not. No header names a version."""
    status, headers, _ = proxy.get("/livez")
    assert (status, headers["Server"]) == (200, "nginx")
    assert proxy.get("/readyz")[0] == 200
    assert proxy.get("/metrics")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=10)
    connection.request("GET", "/livez", headers={"Host": "attendance.example.gov.uk"})
    response = connection.getresponse()
    assert (response.status, response.headers["Location"]) == (301, "https://attendance.example.gov.uk/livez")
    connection.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "a" * 64 + ".example", "x..y", "attendance.example.gov.uk.evil.example"]
)
def test_another_name_gets_no_answer(proxy: Proxy, host: str) -> None:
    """Attack C11: a stranger's name, or one that is none, never reaches the portal."""
    try:
        status, _, body = proxy.get("/livez", Host=host)
    except ConnectionResetError:
        pass
    else:
        # What can be no name at all nginx refuses itself.
        assert (status, b"nginx" in body) == (400, True)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=10)
    connection.request("GET", "/", headers={"Host": "evil.example"})
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()


def test_old_encryption_is_refused(proxy: Proxy) -> None:
    """Ciphers in CBC mode are refused, which older attacks need."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA")
    with socket.create_connection(("127.0.0.1", proxy.https_port)) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection)


def test_avl_01_slow_connections_wait_in_the_proxy(proxy: Proxy) -> None:
    """Pages are answered while four hundred requests never finish."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with ExitStack() as connections:
        for _ in range(SLOW_CONNECTIONS):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", proxy.https_port)))
            slow = connections.enter_context(context.wrap_socket(connection))
            slow.sendall(b"GET /livez HTTP/1.1\r\nHost: attendance.example.gov.uk\r\nX-Slow: ")
        for _ in range(5):
            assert proxy.get("/livez")[0] == 200


def test_a_stopped_portal_is_explained_on_a_page() -> None:
    """The reader gets the portal's page in plain words, not nginx's own."""
    with temporary_data_folder() as folder:
        server = Proxy(folder, free_port())
        assert server.run("-g", "daemon on;").returncode == 0
        status, headers, body = server.get("/")
        server.run("-s", "stop")
        assert (status, headers["Retry-After"]) == (503, "60")
        assert b"Try again in a few minutes" in body
