"""/verify and /log: how anybody checks a receipt, or all of it, without believing us."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from api.kernel.desk import Desk
from api.kernel.doors import Door, may
from api.pages.kit.languages import language_of, words
from api.pages.kit.rendering import page
from api.pages.public.receipt_words import in_words
from api.routes.log import text_of
from ledger.kernel.errors import NotFound
from ledger.transparency.cosignature import cosigned_at
from ledger.transparency.encoding import to_base64
from ledger.transparency.note import Verifier, parse_note, signed_by
from projections.log.cosigning import WitnessAddress
from projections.log.keys import WillNotSign
from projections.log.tables import Published

router = APIRouter(route_class=Door, include_in_schema=False)


class Witnessed(NamedTuple):
    """A witness, and when it cosigned the checkpoint that is shown; never, if it did not."""

    name: str
    key: str
    at: datetime | None


@router.get("/verify")
@may()
def verify(desk: Desk) -> Response:
    """Have a receipt checked by the reader's own browser."""
    texts = in_words(words(language_of(desk)))
    witnesses = [str(each.key) for each in desk.site.cosigning.witnesses]
    return page(desk, "verify.html", claimed=_claimed(desk), witnesses=witnesses, words=texts)


@router.get("/log")
@may()
def log(desk: Desk) -> Response:
    """Say who can check us, and how."""
    published = _published(desk)
    witnesses = desk.site.cosigning.witnesses
    return page(
        desk,
        "log.html",
        claimed=_claimed(desk),
        published=published,
        checkpoint=text_of(published) if published else "",
        root=to_base64(published.checkpoint.root) if published else "",
        witnesses=list(_witnessed(published, witnesses)) if published else [],
        verification=desk.site.check.latest,
    )


def _claimed(desk: Desk) -> Sequence[Verifier]:
    """Return the keys that this site says are its log's, the newest last."""
    try:
        return desk.site.log.verifiers
    except WillNotSign:
        return ()


def _published(desk: Desk) -> Published | None:
    try:
        return desk.site.cosigning.prefer_cosigned(desk.site.log.newest())
    except NotFound:
        return None


def _witnessed(published: Published, witnesses: Iterable[WitnessAddress]) -> Iterable[Witnessed]:
    for each in witnesses:
        signed = signed_by(parse_note(published.note), [each.key])
        times = [cosigned_at(signature.signature) for _, signature in signed]
        at = datetime.fromtimestamp(times[0], UTC) if times else None
        yield Witnessed(each.name, str(each.key), at)
