"""Files that pages link to: styles, scripts and the icon, each under an address of its own bytes.

So a browser may keep a file for ever, and never shows a page with yesterday's script.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache, cached_property
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ledger.kernel.errors import NotFound

router = APIRouter(include_in_schema=False)

FOR_EVER = "public, max-age=31536000, immutable"

SERVED = (".css", ".js", ".svg", ".txt")
"""What is handed out of the folder; the rest of it is about these files."""

DIGEST_CHARS = 16
"""Of a SHA-256, in hexadecimal: enough to tell apart any two versions of a file."""


class Asset:
    """One file, held in memory as it is and as it travels."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.digest = sha256(content).hexdigest()[:DIGEST_CHARS]
        self.media_type = guess_type(name)[0] or "application/octet-stream"

    @cached_property
    def compressed(self) -> bytes:
        """The content, compressed as far as gzip goes: once a process."""
        return gzip.compress(self.content, mtime=0)


@cache
def assets() -> dict[str, Asset]:
    """Return every file that may be linked to, by its name below ``static/``."""
    return {asset.name: asset for asset in _found(files("api.pages.kit") / "static", "")}


def _found(folder: Traversable, path: str) -> Iterator[Asset]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _found(each, f"{path}{each.name}/")
        elif each.name.endswith(SERVED):
            yield Asset(f"{path}{each.name}", each.read_bytes())


def address(name: str) -> str:
    """Return where to find a file.

    Raises:
        KeyError: There is none of this name.

    """
    return f"/static/{assets()[name].digest}/{name}"


def takes_gzip(request: Request) -> bool:
    """Say whether an answer may be compressed."""
    return "gzip" in request.headers.get("accept-encoding", "").lower()


@router.get("/static/{digest}/{name:path}")
async def show_asset(digest: str, name: str, request: Request) -> Response:
    """Return a file, if it is still the one that was linked to."""
    asset = assets().get(name)
    if asset is None or asset.digest != digest:
        raise NotFound("file", by="address")
    headers = {
        "Cache-Control": FOR_EVER,
        "ETag": f'"{asset.digest}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, headers=headers, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)
