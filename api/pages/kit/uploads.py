"""Forms with a file (multipart/form-data, RFC 7578), read by the mail package of the language."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import NamedTuple, cast

from ledger.kernel.errors import Invalid

MULTIPART = "multipart/form-data"

UPLOAD_BYTES_MAX = 16 * 1024 * 1024
"""Bytes of a form with a file. Longer files are sent in parts, or by a program."""


class Upload(NamedTuple):
    """A form with a file.

    Attributes:
        fields: What was written, by the names of fields.
        content: Of the file; nothing if none was chosen.

    """

    fields: dict[str, str]
    content: bytes


def read_upload(content_type: str, body: bytes) -> Upload:
    r"""Read a form with at most one file; refuse what could be read in two ways.

    >>> read_upload(
    ...     "multipart/form-data; boundary=x",
    ...     b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n7\r\n'
    ...     b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n{}\n\r\n--x--',
    ... )
    Upload(fields={'key': '7'}, content=b'{}\n')

    Raises:
        Invalid: It is no such form.

    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise Invalid("body", "must be {form} with a boundary", form=MULTIPART)
    fields: dict[str, str] = {}
    files = []
    for part in cast("list[EmailMessage]", message.get_payload()):
        name, content = _part(part)
        if part.get_filename() is not None:
            files.append(content)
        elif name in fields:
            raise Invalid("body", "names a field twice")
        else:
            fields[name] = _text(content)
    if len(files) > 1:
        raise Invalid("body", "has more than one file")
    return Upload(fields, files[0] if files else b"")


def _part(part: EmailMessage) -> tuple[str, bytes]:
    name, content = (
        part.get_param("name", header="content-disposition"),
        part.get_payload(decode=True),
    )
    if not isinstance(name, str) or not isinstance(content, bytes):
        raise Invalid("body", "has a part without a name")
    return name, content


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Invalid("body", "is not UTF-8") from None
