"""Texts of the program that pages show in the reader's language."""

from __future__ import annotations


def marked(message: str) -> str:
    """Return ``message``, which is to be translated where it is shown.

    The catalogues have whatever stands in a call of this.
    """
    return message
