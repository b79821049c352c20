"""Texts of the page that verifies receipts; its script has none of its own."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any, NamedTuple

from api.kernel.texts import marked


class Wording(NamedTuple):
    """The wording of an event of a donation.

    Attributes:
        sentence: What it is called.
        amount: The field that has its amount.

    """

    sentence: str
    amount: str = "amount"


TOPICS: Mapping[str, Wording] = {
    "donation.pledged.1": Wording(marked("A promise was made")),
    "donation.payment-received.1": Wording(marked("Money arrived")),
    "donation.payment-confirmed.1": Wording(
        marked("The payment was found on the bank's statement")
    ),
    "donation.withdrawn.1": Wording(marked("The open rest of the promise was withdrawn"), "open"),
    "donation.refunded.1": Wording(marked("Went back to the donor")),
    "donation.excess-given.1": Wording(marked("Paid beyond the promise, then given")),
    "donation.excess-returned.1": Wording(marked("Paid beyond the promise, and returned")),
}
"""The events that a receipt may have."""

RULES: Mapping[str, str] = {
    "not-json": marked("What stands in the field is not JSON: perhaps a part of it is missing."),
    "not-a-receipt": marked("This is JSON, but not a receipt of a donation."),
    "other-receipt": marked(
        "The address of this page names another receipt; this one is of donation %(id)s."
    ),
    "other-events": marked("The events are not those of one donation, from its first on."),
    "event-malformed": marked("Event %(position)s is not written as a receipt has it."),
    "leaf-differs": marked(
        "Event %(position)s was changed: what it says does not agree with its leaf in the log."
    ),
    "not-included": marked(
        "Event %(position)s is not in the history that was signed: its path leads elsewhere."
    ),
    "checkpoint-malformed": marked("The checkpoint is not written as a signed checkpoint is."),
    "no-key": marked("Enter the key of the log first, or choose the one that this site claims."),
    "key-malformed": marked("The key is not a verifier key: a character of it may be missing."),
    "other-log": marked("The receipt is from the log %(origin)s, and the key is of %(name)s."),
    "signature-wrong": marked(
        "The signature in the name of %(name)s is wrong: the checkpoint was changed after it was"
        " signed, or somebody else signed it."
    ),
    "not-signed": marked("No key that you believe has signed for the log %(name)s."),
    "cosignature-wrong": marked(
        "The cosignature in the name of witness %(name)s is wrong: it was made of another"
        " checkpoint, or changed since."
    ),
    "cosigned-own": marked("%(name)s cosigned it at %(at)s, by the key that you entered."),
    "cosigned-claimed": marked(
        "%(name)s cosigned it at %(at)s, by the key that this site claims for it."
    ),
    "not-cosigned": marked("%(name)s has not cosigned this checkpoint."),
    "unwitnessed": marked(
        "Nobody whose key is known here. A witness says that it saw the log only ever grow; enter"
        " the key of one if you have it."
    ),
    "not-extended": marked(
        "The newest checkpoint of %(size)s events does not begin with the %(old)s of this receipt."
        " Keep the receipt, and show it to an auditor: the history was changed."
    ),
    "extended": marked(
        "The newest checkpoint has %(size)s events and begins with the %(old)s of this receipt:"
        " nothing of it was changed since."
    ),
    "newest-away": marked("The newest checkpoint could not be had. Try again in a while."),
    "asking": marked(
        "This asks the server, and tells it one number: that somebody has a receipt from when"
        " the log had %(size)s events."
    ),
    "held-own": marked("What it says was recorded so, and is in the history that the key signed."),
    "held-claimed": marked(
        "It agrees with the key that this site claims now. That is worth as much as your trust in"
        " this page; with a key had from elsewhere it would be worth more."
    ),
    "no-webcrypto": marked(
        "This browser gives its cryptography to pages over HTTPS alone, and this page came"
        " otherwise. Nothing can be checked here."
    ),
    "no-ed25519": marked(
        "This browser cannot check Ed25519 signatures. Chrome and Edge from version 137, Firefox"
        " from 129 and Safari from 17 can."
    ),
    "broken": marked("It could not be checked. Nothing is proven by that, either way."),
}
"""Each rule that a receipt is held to, and what to say of it."""


def in_words(words: NullTranslations) -> dict[str, Any]:
    """Return all of it in a language."""
    say = words.gettext
    return {
        "holds": say(marked("The receipt holds")),
        "refused": say(marked("The receipt does not hold")),
        "rules": {rule: say(sentence) for rule, sentence in RULES.items()},
        "topics": {
            topic: {"said": say(wording.sentence), "amount": wording.amount}
            for topic, wording in TOPICS.items()
        },
    }
