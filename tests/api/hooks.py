"""What schemathesis has to be told of our API: lines of JSON are text, and are sent as they are."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
