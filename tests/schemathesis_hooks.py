"""What schemathesis has to be told in its own process: how lines of a feed are written."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_lines(_, value):
    """Write whatever was thought up, without minding whether it is a feed at all."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
