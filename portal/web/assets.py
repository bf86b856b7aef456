"""Static files: what is served, under an address that changes with its content, so that it may be kept for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Response, abort, request, url_for

FOLDER = Path(__file__).parent / "static"
#: A year, in seconds: as long as a browser may keep a file whose address names its content.
KEEP = "public, max-age=31536000, immutable"
#: Without the content in the address a browser has to ask each time whether the file is still the same.
ASK = "public, no-cache"
COMPRESSED = frozenset({".css", ".js", ".svg", ".txt"})
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, read once: its bytes, the same compressed when that helps, and the digest in its address."""

    content: bytes
    compressed: bytes | None
    digest: str
    kind: str


@lru_cache(maxsize=64)
def asset(name: str) -> Asset | None:
    """The static file of this name, or None: only files lying in the folder itself are known."""
    found = {path.name: path for path in FOLDER.iterdir() if path.is_file()}.get(name)
    if found is None:
        return None
    content = found.read_bytes()
    compressed = gzip.compress(content, 9, mtime=0) if found.suffix in COMPRESSED else None
    kind = KINDS.get(found.suffix) or mimetypes.types_map.get(found.suffix, "application/octet-stream")
    return Asset(content, compressed, hashlib.sha256(content).hexdigest()[:16], kind)


def static_url(name: str) -> str:
    """The address of a static file, with its content's digest in it.

    Raises:
        FileNotFoundError: when there is no such file, so that a template never links to nothing.
    """
    found = asset(name)
    if found is None:
        message = f"There is no static file called {name}."
        raise FileNotFoundError(message)
    return url_for("web.static", name=name, v=found.digest)


def serve(name: str) -> Response:
    """The static file as a response: compressed for who asks, kept for a year when the address names the content."""
    found = asset(name)
    if found is None:
        abort(404)
    squeezed = found.compressed is not None and request.accept_encodings["gzip"] > 0
    response = Response(found.compressed if squeezed else found.content, content_type=found.kind)
    if squeezed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = KEEP if request.args.get("v") == found.digest else ASK
    response.set_etag(found.digest + ("-gzip" if squeezed else ""))
    response.make_conditional(request)
    return response
