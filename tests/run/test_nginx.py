"""The shipped proxy configuration: accepted by nginx, and holding in front of a real portal."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.revision import REPOSITORY
from portal import clock
from portal.embedded.children import free_port
from tests.embedded.conftest import new_folder
from tests.run.test_up import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

SLOW_CONNECTIONS = 400
SHIPPED = (REPOSITORY / "config" / "nginx.conf").read_text(encoding="utf-8")


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attendance.example.gov.uk")])
    day = timedelta(days=1)
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)


class Proxy:
    """An nginx with the shipped file, its ports and paths replaced and nothing else."""

    def __init__(self, folder: Path, behind: int, text: str = SHIPPED) -> None:
        """Write its configuration."""
        self.folder = folder
        self.plain, self.encrypted = free_port(), free_port()
        _certificate(folder)
        text = text.replace("user www-data;", "")  # only root could become another user
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        for shipped, here in (
            ("/run/nginx.pid", str(folder / "nginx.pid")),
            ("/var/log/nginx", str(folder)),
            ("/etc/ssl/portal", str(folder)),
            ("server 127.0.0.1:8000", f"server 127.0.0.1:{behind}"),
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen [::]:80;", ""),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.encrypted} ssl;"),
            ("listen [::]:443 ssl;", ""),
            ("http {", "http { " + temporary),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        (folder / "nginx.conf").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run nginx to its end."""
        assert NGINX is not None
        command = [NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Ask for a page over TLS."""
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", self.encrypted, timeout=10, context=trusting)
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return answer.status, dict(answer.getheaders()), body


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """An nginx in front of a small portal."""
    with new_folder() as folder:
        portal = Portal(folder, PORTAL_TRUSTED_PROXIES="1")
        made = Proxy(folder, portal.port)
        started = made.run("-g", "daemon on;")
        assert started.returncode == 0, started.stderr
        yield made
        made.run("-s", "stop")
        portal.ended(signal.SIGINT)


def test_the_shipped_file_is_accepted(proxy: Proxy) -> None:
    """By nginx's own check, without a warning of the file: how many files its user may open is the machine's."""
    checked = proxy.run("-t")
    assert checked.returncode == 0
    assert [one for one in checked.stderr.splitlines() if "warn" in one and "open file resource limit" not in one] == []


def test_pages_pass_and_private_ones_do_not(proxy: Proxy) -> None:
    """Health for this network, metrics for nobody, and no version of anything."""
    status, headers, _ = proxy.get("/livez")
    assert (status, headers["Server"]) == (200, "nginx")
    assert proxy.get("/readyz")[0] == 200
    assert proxy.get("/metrics")[0] == 404
    line = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=10)
    line.request("GET", "/livez", headers={"Host": "attendance.example.gov.uk"})
    answer = line.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://attendance.example.gov.uk/livez")
    line.close()


def test_old_encryption_is_refused(proxy: Proxy) -> None:
    """No block ciphers without authentication, which the older attacks need."""
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    weak.check_hostname = False
    weak.verify_mode = ssl.CERT_NONE
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA")
    with socket.create_connection(("127.0.0.1", proxy.encrypted)) as line, pytest.raises(ssl.SSLError):
        weak.wrap_socket(line)


def test_avl_01_slow_connections_wait_in_the_proxy(proxy: Proxy) -> None:
    """Four hundred requests that never finish, and pages are answered meanwhile."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with ExitStack() as open_lines:
        for _ in range(SLOW_CONNECTIONS):
            line = open_lines.enter_context(socket.create_connection(("127.0.0.1", proxy.encrypted)))
            slow = open_lines.enter_context(trusting.wrap_socket(line))
            slow.sendall(b"GET /livez HTTP/1.1\r\nHost: attendance.example.gov.uk\r\nX-Slow: ")
        began = time.monotonic()
        for _ in range(5):
            assert proxy.get("/livez")[0] == 200
        assert time.monotonic() - began < 5


def test_a_portal_that_is_away_is_explained() -> None:
    """A page of plain words, not the proxy's own."""
    with new_folder() as folder:
        alone = Proxy(folder, free_port())
        assert alone.run("-g", "daemon on;").returncode == 0
        status, headers, body = alone.get("/")
        alone.run("-s", "stop")
        assert (status, headers["Retry-After"]) == (503, "60")
        assert b"Try again in a few minutes" in body
