"""Trust policies (C2SP tlog-policy): trusted logs, and the witnesses that must cosign a tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.kernel.errors import LedgerError
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint
from ledger.transparency.cosignature import Witness
from ledger.transparency.encoding import Malformed, from_decimal, lines_of
from ledger.transparency.note import Verifier, parse_note, signed_by

NONE = "none"
"""The quorum that asks for no witness at all."""

LINES_MAX = 500
"""Lines that are read: "supports at least up to 32 logs, 32 witnesses, and 32 groups".
"""

# As specified, "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF"
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7E\x80-\xFF]")
_SPACE = re.compile("[ \t]+")


class QuorumMissing(LedgerError):
    """A checkpoint counts only if enough witnesses have seen it."""


@dataclass(frozen=True)
class Policy:
    """Which logs are believed, and what they need besides their own word.

    Attributes:
        logs: Keys of the logs; any one of them may have signed.
        witnesses: Keys of the witnesses, by the names that the policy gives them.
        groups: Of each group how many of its members it takes, and who they are; groups among
            them stand before it.
        quorum: The witness or group that has to have cosigned, or ``NONE``.

    """

    logs: tuple[Verifier, ...]
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NONE

    def open(self, signed: bytes) -> Checkpoint:
        """Read a checkpoint that this policy holds to be valid.

        Raises:
            Malformed: It is not a checkpoint.
            NotSigned: It is not signed by a log, or a signature is not by whose it says it is.
            QuorumMissing: Too few witnesses have cosigned it.

        """
        checkpoint = open_checkpoint(signed, self.logs)
        cosigned = {key for key, _ in signed_by(parse_note(signed), self.witnesses.values())}
        if self.quorum != NONE and self.quorum not in self._have_witnessed(cosigned):
            raise QuorumMissing(
                f"{len(cosigned)} of {len(self.witnesses)} witnesses have cosigned the tree of"
                f" {checkpoint.size}, which is not the quorum {self.quorum}"
            )
        return checkpoint

    def _have_witnessed(self, cosigned: set[Witness]) -> set[str]:
        """Return the names of witnesses and groups that have, each after those it is made of."""
        have = {name for name, key in self.witnesses.items() if key in cosigned}
        for name, (needed, members) in self.groups.items():
            # "the group is considered to witness a checkpoint if and only if at least k of its n
            # members have witnessed that checkpoint"
            if len(have.intersection(members)) >= needed:
                have.add(name)
        return have

    def encode(self) -> bytes:
        """Write the policy."""
        lines = [f"log {key}" for key in self.logs]
        lines += [f"witness {name} {key}" for name, key in self.witnesses.items()]
        lines += [
            f"group {name} {needed} {' '.join(members)}"
            for name, (needed, members) in self.groups.items()
        ]
        lines.append(f"quorum {self.quorum}")
        return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def parse_policy(written: bytes) -> Policy:
    """Read a policy.

    Raises:
        Malformed: It is not one; the line is named.

    """
    if _FORBIDDEN.search(written):
        raise Malformed("a policy has no control characters but tabs and newlines")
    reading = _Reading()
    # "names must be handled as opaque octet strings"
    lines = lines_of(written.decode(errors="surrogateescape"))
    if len(lines) > LINES_MAX:
        raise Malformed(f"a policy has at most {LINES_MAX} lines")
    for number, line in enumerate(lines, 1):
        try:
            reading.take_in(_SPACE.sub(" ", line).strip(" "))
        except Malformed as fault:
            raise Malformed(f"line {number} of the policy: {fault}") from None
    # "A policy file must include exactly one quorum line."
    if reading.quorum is None:
        raise Malformed("the policy has no quorum line")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """The parts of a policy read so far."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def take_in(self, line: str) -> None:
        """Take in one line; empty ones and comments are ignored."""
        if not line or line.startswith("#"):
            return
        # What may follow a key is a URL, which only those need who talk to its owner.
        match line.split(" "):
            case ["log", vkey] | ["log", vkey, _]:
                self._add_log(vkey)
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._add_witness(name, vkey)
            case ["group", name, needed, *members]:
                self._add_group(name, needed, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case [keyword, *_]:
                raise Malformed(f"{keyword!r} begins no such line")

    def _add_log(self, vkey: str) -> None:
        key = Verifier.parse(vkey)
        _refuse_twice(key, self.logs)
        self.logs.append(key)

    def _add_witness(self, name: str, vkey: str) -> None:
        self._refuse_taken(name)
        key = Witness.parse(vkey)
        _refuse_twice(key, self.witnesses.values())
        self.witnesses[name] = key

    def _add_group(self, name: str, needed: str, members: Sequence[str]) -> None:
        self._refuse_taken(name)
        if not members:  # "At least one member must be listed (i.e., n >= 1)."
            raise Malformed(f"{name!r} has no members")
        for each in members:
            # "A line defining a group can only reference names of groups and witnesses defined on
            # preceding lines", and none: "it is invalid as a group member".
            if not self._is_defined(each):
                raise Malformed(f"{each!r} is not defined above")
            # "Each defined name can be listed as a group member at most once."
            if each in self._members:
                raise Malformed(f"{each!r} is a member of a group already")
            self._members.add(each)
        # As specified, "any" is "a shorthand for k = 1", and "all" "a shorthand for k = n".
        short = {"any": 1, "all": len(members)}
        count = short[needed] if needed in short else from_decimal(needed)
        if not 1 <= count <= len(members):  # "it is required that 1 <= k <= n"
            raise Malformed(f"{count} of {len(members)} is not possible")
        self.groups[name] = count, tuple(members)

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise Malformed("there is a quorum already")
        if name != NONE and not self._is_defined(name):
            raise Malformed(f"{name!r} is not defined above")
        self.quorum = name

    def _is_defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _refuse_taken(self, name: str) -> None:
        # "Witnesses and groups share a single namespace. The special name none is predefined".
        if name == NONE or self._is_defined(name):
            raise Malformed(f"{name!r} is defined already")


def _refuse_twice(key: Verifier, others: Iterable[Verifier]) -> None:
    # "Two vkeys are considered duplicate if they wrap the same underlying public key, even if they
    # differ by key name and key id."
    if any(key.public == other.public for other in others):
        raise Malformed(f"the key of {key.name} is there already")
