"""Adds what was recorded to the tree, signs what it then is, and proves what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from ledger.kernel.errors import LedgerError, NotFound
from ledger.kernel.sentences import Sentence
from ledger.store.leaves import OutOfStep, leaves
from ledger.store.recorder import Store
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.leaf import Leaf
from ledger.transparency.merkle import (
    HASH_BYTES,
    Node,
    ReadHashes,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root,
)
from ledger.transparency.note import Signature, Signer, Verifier, parse_note
from ledger.transparency.tiles import Tile, grow, hash_reader, pack_entries
from projections.log import tables
from projections.log.keys import KeyFile, KeyRing, KeyUnusable, WillNotSign, a_name
from projections.log.tables import Published

STEP = 16_384
"""Leaves added in one transaction; bounds memory, not correctness."""

AGAIN = timedelta(days=1)
"""After so long the same checkpoint is published once more: that nothing was added is news, too."""


class NameTaken(LedgerError):
    """A log has one name, and a name one log."""

    def __init__(self, name: str, there: str) -> None:
        super().__init__(f"the log here is called {there}, and not {name}; leave the name out")


class NameUsed(LedgerError):
    """The name of a log is used once."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there was a log {name}; whoever knows it would see two histories")


class KeyElsewhere(KeyUnusable):
    """A log goes on only with its own key."""

    def __init__(self, name: str, keys: KeyFile) -> None:
        super().__init__(
            f"the key of the log {name} is not in {keys.path}; another server may have it. If it"
            " is lost, begin another log with leifeng audit new-log"
        )


class NotExtended(WillNotSign):
    """A log only ever grows: what was signed once is the beginning of all that is signed later."""

    says = (
        "{log} has signed a history of {signed} events, and {stored}. If an older backup was"
        " restored, and what came after it is lost for good, begin another log with leifeng audit"
        " new-log"
    )

    def __init__(self, signed: Checkpoint, stored: Sentence) -> None:
        super().__init__(log=signed.origin, signed=signed.size, stored=stored)


class Changed(WillNotSign):
    """What is in the log is what is stored."""

    NAME = "history-changed"
    says = "event {position} is not stored as the log has it"

    def __init__(self, position: int) -> None:
        super().__init__(position=position)


class Proven(NamedTuple):
    """A leaf, and what leads from it to a checkpoint."""

    leaf: Leaf
    path: Sequence[bytes]


class Consistent(NamedTuple):
    """Two trees, and what shows that one begins with the other."""

    old_root: bytes
    new_root: bytes
    proof: Sequence[bytes]


class Log:
    """The log of one ledger. Several processes may each have one of the same log.

    Attributes:
        engine: Of its own database.

    """

    def __init__(
        self, store: Store, engine: Engine, keys: KeyFile, now: Callable[[], datetime]
    ) -> None:
        """Keep the log of what is in ``store``.

        Args:
            store: Where the events are.
            engine: Of the log's own database.
            keys: What to sign with.
            now: Reads the clock.

        """
        self._store = store
        self.engine = engine
        self._keys = keys
        self._now = now

    def begin(self, name: str | None = None) -> None:
        """Make the first key, if there is none here and no other server has one.

        Args:
            name: Of the log, if it is to have another than one drawn by chance.

        Raises:
            NameTaken: The log has another name.

        """
        with tables.adding(self.engine) as connection:
            there = tables.origin(connection)
            if not self._keys.is_there and there is None:
                self._keys.create(Signer.generate(name or a_name()))
            ring = self._keys.read()
            if there is None and ring is not None:
                there = ring.name
                tables.set_origin(connection, there)
        if name is not None and there is not None and name != there:
            raise NameTaken(name, there)

    def begin_another(self, signer: Signer) -> None:
        """Begin a log under a name that was never used, and put the old keys aside.

        Nothing is signed under the old name any more, so whatever it signed stands uncontradicted.

        Raises:
            NameUsed: There was a log of this name.

        """
        name = signer.verifier.name
        with tables.adding(self.engine) as connection:
            if tables.is_known(connection, name) or self._keys.knew(name):
                raise NameUsed(name)
            self._keys.retire()
            self._keys.create(signer)
            tables.clear_tiles(connection)
            tables.set_origin(connection, name)

    @property
    def verifiers(self) -> Sequence[Verifier]:
        """The keys to check it with, the newest last; none where its secret keys are not kept.

        Raises:
            WillNotSign: The secret keys are not to be used.

        """
        ring = self._keys.read()
        return [each.verifier for each in ring.signing] if ring else []

    # Growing.

    @property
    def size(self) -> int:
        """The number of events in the log."""
        with self.engine.connect() as connection:
            return tables.size(connection)

    def check(self) -> None:
        """Hold the log to the ledger as far as can be done in a moment, before it goes on.

        Raises:
            WillNotSign: They do not fit together.
            OutOfStep: Rows of the ledger are missing.

        """
        with self.engine.connect() as connection:
            size = tables.size(connection)
            self._refuse_what_was_changed(connection, size)
        count = self._store.count(size)
        if count != size:
            raise OutOfStep(count, Sentence("a gap, in {events} events", events=size))

    def publish(self) -> Published:
        """Bring the log level with what is recorded, and return the checkpoint that covers it.

        Raises:
            WillNotSign: That would contradict what was signed, or cannot be known not to.

        """
        goal = self._store.last_position()
        while True:
            with tables.adding(self.engine) as connection:
                published = self._step(connection, goal)
            if published.checkpoint.size >= goal:
                return published

    def _step(self, connection: Connection, goal: int) -> Published:
        """Add some of what is missing, and sign it, in one transaction."""
        ring = self._ring(connection)
        newest = tables.newest(connection, ring.name)
        size = tables.size(connection)
        signed = self._keys.signed(ring.name)
        if max(signed.size, size) > goal:  # Another process may have gone on meanwhile.
            goal = self._store.last_position()
        if max(signed.size, size) > goal:
            at_most = signed if signed.size >= size else signed._replace(size=size)
            raise NotExtended(at_most, Sentence("{events} are stored", events=goal))
        if newest and newest.checkpoint.size == size == goal and self._is_of_today(newest):
            return newest
        self._refuse_what_was_changed(connection, size)
        # What was signed once is passed in one step, so that nothing is signed before it again.
        end = min(goal, max(size + STEP, signed.size))
        added = [leaf_hash(each.encode()) for each in leaves(self._store, size, end - size)]
        tables.put_tiles(connection, grow(size, added, tables.partial_contents(connection, size)))
        hashes = hash_reader(end, tables.tiles_reader(connection))
        for earlier in (signed, *([newest.checkpoint] if newest else [])):
            if root(earlier.size, hashes) != earlier.root:
                raise NotExtended(earlier, Sentence("those that are stored are others"))
        return self._sign(connection, ring, Checkpoint(ring.name, end, root(end, hashes)))

    def _sign(self, connection: Connection, ring: KeyRing, checkpoint: Checkpoint) -> Published:
        self._keys.remember(checkpoint)
        note = checkpoint.sign(*ring.signing)
        published = Published(checkpoint, note.encode(), self._now())
        again = _with(published, tables.at(connection, checkpoint), note.signatures)
        tables.publish(connection, again)
        return again

    def _ring(self, connection: Connection) -> KeyRing:
        """Return the keys of the log that is being written, if they are here."""
        ring = self._keys.read()
        name = tables.origin(connection)
        if name is None:
            name = ring.name if ring else "that was never begun"
        if ring is None or ring.name != name:
            raise KeyElsewhere(name, self._keys)
        return ring

    @property
    def is_stale(self) -> bool:
        """The newest checkpoint was published so long ago that it is to be published again."""
        return not self._is_of_today(self.newest())

    def _is_of_today(self, published: Published) -> bool:
        return self._now() - published.at < AGAIN

    def _refuse_what_was_changed(self, connection: Connection, size: int) -> None:
        """Compare the newest leaf with its event: another history would end otherwise."""
        if size == 0:
            return
        self._leaf(size, hash_reader(size, tables.tiles_reader(connection)))

    def _leaf(self, position: int, hashes: ReadHashes) -> Leaf:
        """Return the leaf of an event as it is stored, which must be the one in the tree."""
        try:
            (leaf,) = leaves(self._store, position - 1, 1)
        except OutOfStep:
            raise Changed(position) from None
        if [leaf_hash(leaf.encode())] != list(hashes([Node(0, leaf.index)])):
            raise Changed(position)
        return leaf

    # Showing.

    def newest(self) -> Published:
        """Return the newest checkpoint.

        Raises:
            NotFound: None was published yet.

        """
        with self.engine.connect() as connection:
            return self._newest(connection)

    def covering(self, position: int) -> Published:
        """Return a checkpoint that covers ``position``, publishing one if there is none yet."""
        try:
            newest = self.newest()
        except NotFound:
            return self.publish()
        return newest if newest.checkpoint.size >= position else self.publish()

    def tile(self, tile: Tile) -> bytes:
        """Return what is in a tile, as the newest checkpoint has it.

        Raises:
            NotFound: It is not, or not so wide, in any tree that was published.

        """
        with self.engine.connect() as connection:
            return self._tile(connection, tile)

    def entries(self, bundle: Tile) -> bytes:
        """Return a bundle of entries, made from the stored events and held to their tile.

        Raises:
            NotFound: It is not in any tree that was published.
            Changed: An event is not stored as the log has it.

        """
        content = self.tile(bundle._replace(level=0))
        try:
            stored = leaves(self._store, bundle.first, bundle.width)
        except OutOfStep:
            raise Changed(bundle.first + 1) from None
        entries = [leaf.encode() for leaf in stored]
        for number, entry in enumerate(entries):
            if leaf_hash(entry) != content[number * HASH_BYTES : (number + 1) * HASH_BYTES]:
                raise Changed(bundle.first + number + 1)
        return pack_entries(entries)

    def prove(self, published: Published, positions: Sequence[int]) -> list[Proven]:
        """Return the leaves of the events at ``positions``, and their paths to a checkpoint.

        Raises:
            Changed: An event is not stored as the log has it.

        """
        size = published.checkpoint.size
        with self._reading(size) as hashes:
            return [self._prove(position, size, hashes) for position in positions]

    def _prove(self, position: int, size: int, hashes: ReadHashes) -> Proven:
        leaf = self._leaf(position, hashes)
        return Proven(leaf, prove_inclusion(leaf.index, size, hashes))

    def prove_consistency(self, old: int, new: int) -> Consistent:
        """Return what shows that the tree of ``new`` leaves begins with that of ``old``."""
        with self._reading(new) as hashes:
            return Consistent(
                root(old, hashes), root(new, hashes), prove_consistency(old, new, hashes)
            )

    def add_signatures(self, published: Published, signatures: Sequence[Signature]) -> Published:
        """Publish a checkpoint with further signatures, such as those of witnesses."""
        with tables.adding(self.engine) as connection:
            again = _with(published, tables.at(connection, published.checkpoint), signatures)
            tables.publish(connection, again)
        return again

    @contextmanager
    def _reading(self, size: int) -> Iterator[ReadHashes]:
        with self.engine.connect() as connection:
            yield hash_reader(size, tables.tiles_reader(connection))

    def _tile(self, connection: Connection, tile: Tile) -> bytes:
        size = self._newest(connection).checkpoint.size
        (content,) = tables.tiles_reader(connection)([tile])
        if len(content) != tile.width * HASH_BYTES or tile.first >= size:
            raise NotFound("tile", tile.path)
        return content

    def _newest(self, connection: Connection) -> Published:
        name = tables.origin(connection)
        checkpoint = None if name is None else tables.newest(connection, name)
        if checkpoint is None:
            raise NotFound("checkpoint", says="no checkpoint has been signed yet")
        return checkpoint


def _with(
    published: Published, earlier: Published | None, signatures: Sequence[Signature]
) -> Published:
    """Return a checkpoint with the signatures that it has already, and with these."""
    note = parse_note((earlier or published).note).signed_again(*signatures)
    return published._replace(note=note.encode())
