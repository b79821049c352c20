"""/checkpoint, /tile and /v1/proofs: the public log, for whoever wants to check us

Tiles and checkpoints are as C2SP tlog-tiles has them, so that others' tools find them.
"""

from __future__ import annotations

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may, refuses
from api.kernel.wire import json_response
from ledger.kernel.errors import Invalid, NotFound
from ledger.transparency.encoding import Malformed, to_base64
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.proof import Proof
from ledger.transparency.tiles import ENTRIES, parse_path
from projections.log.keys import WillNotSign
from projections.log.log import Changed, Proven
from projections.log.tables import Published

router = APIRouter(tags=["log"], route_class=Door)

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"

MUTABLE = "no-cache"
"""As specified for checkpoints: "its headers SHOULD prevent caching beyond a few seconds"."""

FOREVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
"""As specified for tiles: "This endpoint is immutable, so its caching headers SHOULD be
long-lived". A partial one need not be kept so long, as the full one takes its place.
"""


def _media(kind: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": schema}}}}


_A_TEXT = {"type": "string"}
_A_FILE = {"type": "string", "format": "binary"}


class Inclusion(BaseModel):
    """A proof that an event is in the history that was signed. Hashes are in base64."""

    position: int = Field(description="Of the event, counting from 1.")
    index: int = Field(description="Of its leaf, counting from 0.")
    leaf: str = Field(description="The leaf: SHA-256 of a zero byte and this text is its hash.")
    leaf_hash: str
    path: list[str] = Field(description="RFC 6962 §2.1.1, from the leaf to the root.")
    size: int = Field(description="Of the tree that the checkpoint is of.")
    root: str
    checkpoint: str = Field(description="A signed note; check it with a key had from elsewhere.")


class Consistency(BaseModel):
    """A proof that a history begins with an earlier one. Hashes are in base64."""

    from_: int = Field(alias="from", description="Size of the earlier tree.")
    to: int = Field(description="Size of the later tree.")
    from_root: str
    to_root: str
    proof: list[str] = Field(description="RFC 6962 §2.1.2.")
    checkpoint: str = Field(description="The newest, a signed note; it may be later than both.")


def text_of(published: Published) -> str:
    """Return the checkpoint as it was signed."""
    return published.note.decode()


def proven(each: Proven) -> dict[str, Any]:
    """Show a leaf and its path."""
    entry = each.leaf.encode()
    return {
        "position": each.leaf.nid,
        "index": each.leaf.index,
        "leaf": entry.decode(),
        "leaf_hash": to_base64(leaf_hash(entry)),
        "path": [to_base64(step) for step in each.path],
    }


def covering(desk: Desk, position: int, at_least: int | None = None) -> Published:
    """Return a checkpoint that covers ``position``, and ``at_least`` what the caller asks for."""
    desk.must_have(at_least)
    position = max(position, at_least or 0)
    covering = desk.site.log.covering(position)
    cosigned = desk.site.cosigning.prefer_cosigned(covering)
    return cosigned if cosigned.checkpoint.size >= position else covering


@router.get(
    "/checkpoint",
    response_class=Response,
    responses=_media(TEXT, _A_TEXT) | refuses(NotFound),
)
@may()
def checkpoint(desk: Desk) -> Response:
    """Return what the log says that it is, signed (C2SP tlog-checkpoint)."""
    newest = desk.site.cosigning.prefer_cosigned(desk.site.log.newest())
    return Response(newest.note, media_type=TEXT, headers={"Cache-Control": MUTABLE})


@router.get(
    "/tile/{path:path}",
    response_class=Response,
    responses=_media(BYTES, _A_FILE) | refuses(NotFound, Changed),
)
@may()
def tile(
    path: str,
    desk: Desk,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return a tile, or a bundle of entries (C2SP tlog-tiles): `<L>/<N>[.p/<W>]`, `entries/…`."""
    try:
        place = parse_path(f"tile/{path}")
    except Malformed:
        raise NotFound("tile", by="path") from None
    headers = {"Cache-Control": FOREVER if place.is_full else A_DAY}
    if place.level != ENTRIES:
        return Response(desk.site.log.tile(place), media_type=BYTES, headers=headers)
    bundle = desk.site.log.entries(place)
    headers["Vary"] = "Accept-Encoding"
    if "gzip" in accept_encoding:  # "Entry bundles SHOULD be compressed at the HTTP layer."
        bundle = gzip.compress(bundle, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(bundle, media_type=BYTES, headers=headers)


@router.get(
    "/v1/proofs/inclusion",
    response_model=Inclusion,
    responses=_media("text/plain", _A_TEXT) | refuses(NotFound, WillNotSign, Changed),
)
@may()
def inclusion(
    position: Annotated[int, Query(ge=1, le=2**53, description="Of the event.")],
    desk: Desk,
    at_least: AtLeast = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Prove that an event is in the history; as `text/plain`, as C2SP tlog-proof has it."""
    if position > desk.ledger.store.last_position():
        raise NotFound("event", position)
    published = covering(desk, position, at_least)
    (inclusion_,) = desk.site.log.prove(published, [position])
    if "text/plain" in accept:
        proof = Proof(inclusion_.leaf.index, tuple(inclusion_.path), published.note)
        return Response(proof.encode(), media_type=TEXT)
    tree = {"size": published.checkpoint.size, "root": to_base64(published.checkpoint.root)}
    return json_response(proven(inclusion_) | tree | {"checkpoint": text_of(published)})


@router.get(
    "/v1/proofs/consistency",
    response_model=Consistency,
    responses=refuses(WillNotSign),
)
@may()
def consistency(
    desk: Desk,
    old: Annotated[int, Query(alias="from", ge=0, le=2**53, description="Size of a tree.")],
    new: Annotated[
        int | None, Query(alias="to", ge=0, le=2**53, description="Of a later one; the newest.")
    ] = None,
    at_least: AtLeast = None,
) -> Response:
    """Prove that the history of one size begins with that of another."""
    last = desk.ledger.store.last_position()
    if max(old, new or 0) > last:
        raise Invalid(
            "from" if old > last else "to", "the ledger has {last} events so far", last=last
        )
    published = covering(desk, max(old, new or 0), at_least)
    end = published.checkpoint.size if new is None else new
    if old > end:
        raise Invalid("from", "is beyond {end}", end=end)
    growth = desk.site.log.prove_consistency(old, end)
    return json_response(
        {
            "from": old,
            "to": end,
            "from_root": to_base64(growth.old_root),
            "to_root": to_base64(growth.new_root),
            "proof": [to_base64(each) for each in growth.proof],
            "checkpoint": text_of(published),
        }
    )
