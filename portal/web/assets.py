"""Static files, each under an address that changes with its content.

So a browser may keep a file for a year and still gets the new one at once.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Response, abort, request, url_for

FOLDER = Path(__file__).parent / "static"
#: A browser may keep a file for a year, in seconds, when the address names its content.
IMMUTABLE = "public, max-age=31536000, immutable"
#: Without the digest in the address a browser must ask each time whether the file has changed.
REVALIDATE = "public, no-cache"
COMPRESSED = frozenset({".css", ".js", ".svg", ".txt"})
CONTENT_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file: its bytes, its bytes compressed where that helps, and the digest in its address."""

    content: bytes
    compressed: bytes | None
    digest: str
    content_type: str


@lru_cache(maxsize=64)
def asset(name: str) -> Asset | None:
    """The static file of this name, or None. Only files directly in the folder are served."""
    # Names are looked up in a listing and never joined to a path, so "../routes.py" cannot leave the folder.
    path = {file.name: file for file in FOLDER.iterdir() if file.is_file()}.get(name)
    if path is None:
        return None
    content = path.read_bytes()
    compressed = gzip.compress(content, 9, mtime=0) if path.suffix in COMPRESSED else None
    content_type = CONTENT_TYPES.get(path.suffix) or mimetypes.types_map.get(path.suffix, "application/octet-stream")
    return Asset(content, compressed, hashlib.sha256(content).hexdigest()[:16], content_type)


def static_url(name: str) -> str:
    """The address of a static file, with the digest of its content.

    Raises:
        FileNotFoundError: when there is no such file, so that a broken link fails the tests and not the reader.
    """
    file = asset(name)
    if file is None:
        message = f"There is no static file called {name}."
        raise FileNotFoundError(message)
    return url_for("web.static", name=name, v=file.digest)


def serve(name: str) -> Response:
    """The response with a static file, compressed where the browser accepts gzip.

    It may be kept for a year when the address names the content.
    """
    file = asset(name)
    if file is None:
        abort(404)
    send_compressed = file.compressed is not None and request.accept_encodings["gzip"] > 0
    response = Response(file.compressed if send_compressed else file.content, content_type=file.content_type)
    if send_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = IMMUTABLE if request.args.get("v") == file.digest else REVALIDATE
    # The two encodings are different bytes, so a shared cache must not take one tag for both.
    response.set_etag(file.digest + ("-gzip" if send_compressed else ""))
    response.make_conditional(request)
    return response
