"""Has witnesses cosign what the log publishes, in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from http.client import HTTPException
from threading import Event, Thread
from typing import NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.transparency.cosignature import Witness
from ledger.transparency.encoding import Malformed, from_decimal
from ledger.transparency.note import (
    Note,
    NotSigned,
    Signature,
    parse_note,
    read_signatures,
    signed_by,
)
from ledger.transparency.policy import Policy
from ledger.transparency.witness import Submission
from projections.log.log import Log
from projections.log.tables import Published

LOG = logging.getLogger(__name__)

LOOK_S = 0.5
"""Seconds between two looks whether there is a new checkpoint."""

AGAIN_S = 5.0
"""Seconds until a witness that could not be reached, or refused, is asked again."""

ANSWER_S = 10.0
"""Seconds in which a witness answers, or is taken to be away."""

ANSWER_BYTES_MAX = 100_000
"""Bytes of an answer that are read. A cosignature has some two hundred."""

GROUP = "witnesses"
"""What the policy calls all of them together."""


class WitnessAddress(NamedTuple):
    """A witness, and where it is asked.

    Attributes:
        name: What it is called here.
        key: Its public key.
        url: The submission prefix.

    """

    name: str
    key: Witness
    url: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``NAME,VKEY,URL``."""
        name, _, rest = text.partition(",")
        vkey, _, url = rest.partition(",")
        if not name or any(each.isspace() for each in name):
            raise Invalid("--witness", "is NAME,VKEY,URL with a name without spaces")
        if not url.startswith(("https://", "http://")):
            raise Invalid("--witness", "is NAME,VKEY,URL with a URL of https or http")
        try:
            return cls(name, Witness.parse(vkey), url.rstrip("/"))
        except Malformed as fault:
            raise Invalid("--witness", "is not a verifier key: {fault}", fault=str(fault)) from None


def policy_of(addresses: Sequence[WitnessAddress]) -> Policy:
    """Return the policy that any one of these witnesses has to have cosigned."""
    witnesses = {each.name: each.key for each in addresses}
    if not witnesses:
        return Policy(())
    return Policy((), witnesses, {GROUP: (1, tuple(witnesses))}, GROUP)


class SawMore(LedgerError):
    """A history only grows: a witness has not seen more of it than there is."""

    def __init__(self, name: str, seen: int, size: int) -> None:
        super().__init__(f"witness {name} has seen {seen} events, and here are {size}")


class WitnessRefused(LedgerError):
    """A witness cosigns what extends what it has seen."""

    def __init__(self, name: str, status: object, body: str) -> None:
        super().__init__(f"witness {name} answers {status}: {body.strip()[:200]}")


class _Cosigner:
    """One witness, and the size of the tree that it last cosigned."""

    def __init__(self, address: WitnessAddress, log: Log, monotonic: Callable[[], float]) -> None:
        self.address = address
        self.size = 0
        self.refusal: Exception | None = None
        self._log = log
        self._monotonic = monotonic
        self._not_before = 0.0

    def cosign(self, published: Published) -> Sequence[Signature]:
        """Return the witness's cosignatures of a checkpoint; none if it cannot be had now."""
        if self._monotonic() < self._not_before:
            return ()
        try:
            signatures = self._submit(published)
        except (LedgerError, OSError, HTTPException) as error:
            if str(error) != str(self.refusal):
                LOG.warning("witness %s has not cosigned: %s", self.address.name, error)
            self.refusal, self._not_before = error, self._monotonic() + AGAIN_S
            return ()
        self.refusal, self.size = None, published.checkpoint.size
        return signatures

    def _submit(self, published: Published) -> Sequence[Signature]:
        """Submit it; if the witness knows another tree than was thought, begin there."""
        try:
            return self._ask(published)
        except HTTPError as error:
            body = error.read(ANSWER_BYTES_MAX).decode(errors="replace")
            if error.headers.get_content_type() != "text/x.tlog.size":
                raise WitnessRefused(self.address.name, error.code, body) from None
        seen, size = from_decimal(body.strip()), published.checkpoint.size
        if seen > size:
            raise SawMore(self.address.name, seen, size)
        self.size = seen
        try:
            return self._ask(published)
        except HTTPError as error:
            body = error.read(ANSWER_BYTES_MAX).decode(errors="replace")
            raise WitnessRefused(self.address.name, error.code, body) from None

    def _ask(self, published: Published) -> Sequence[Signature]:
        old, new = min(self.size, published.checkpoint.size), published.checkpoint.size
        proof = self._log.prove_consistency(old, new).proof
        body = Submission(old, tuple(proof), published.note).encode()
        request = Request(f"{self.address.url}/add-checkpoint", body, method="POST")  # noqa: S310  # Checked by WitnessAddress.
        with urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310  # Same.
            lines = answer.read(ANSWER_BYTES_MAX).decode()
        cosigned = Note(published.checkpoint.text, read_signatures(lines))
        signatures = [signature for _, signature in signed_by(cosigned, [self.address.key])]
        if not signatures:
            raise NotSigned(f"witness {self.address.name} answers with signatures of other keys")
        return signatures


class Cosigning:
    """A thread that submits each new checkpoint, and publishes it again with its cosignatures."""

    def __init__(
        self, log: Log, witnesses: Sequence[WitnessAddress], monotonic: Callable[[], float]
    ) -> None:
        """Ask ``witnesses`` about what ``log`` publishes; ``monotonic`` reads seconds."""
        self._log = log
        self._cosigners = [_Cosigner(each, log, monotonic) for each in witnesses]
        self._closed = Event()
        self._thread: Thread | None = None
        self._done: Published | None = None
        self._shown = 0

    @property
    def witnesses(self) -> Sequence[WitnessAddress]:
        """The witnesses."""
        return [each.address for each in self._cosigners]

    @property
    def refusals(self) -> dict[str, str]:
        """The witnesses that could not be asked or refused, and why."""
        return {each.address.name: str(each.refusal) for each in self._cosigners if each.refusal}

    def prefer_cosigned(self, newest: Published) -> Published:
        """Return the newest checkpoint that was cosigned, unless there has been none for a while.

        A new checkpoint is without cosignatures for as long as witnesses take to answer. Nobody is
        shown an older one than before: to whoever keeps it, that would look like a cut.
        """
        done, best = self._done, newest
        if done is not None and (newest.at - done.at).total_seconds() <= ANSWER_S:
            best = done if done.checkpoint.size >= self._shown else newest
        self._shown = max(self._shown, best.checkpoint.size)
        return best

    def start(self) -> None:
        """Begin."""
        if self._cosigners:
            self._thread = Thread(target=self._keep_asking, name="cosigning", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_asking(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                self.look()
            except NotFound:
                continue  # Nothing was published yet.
            except Exception:
                LOG.exception("witnesses could not be asked")

    def look(self) -> None:
        """Submit the newest checkpoint to those who have not cosigned it."""
        newest = self._log.newest()
        signed = {key.name for key, _ in signed_by(parse_note(newest.note), self._keys)}
        missing = [each for each in self._cosigners if each.address.key.name not in signed]
        signatures = [signature for each in missing for signature in each.cosign(newest)]
        if signatures:
            newest = self._log.add_signatures(newest, signatures)
        if signatures or not missing:
            self._done = newest

    @property
    def _keys(self) -> list[Witness]:
        return [each.address.key for each in self._cosigners]
