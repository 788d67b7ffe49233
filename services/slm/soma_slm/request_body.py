"""Reading a request's body within bounds."""

from starlette.requests import Request

from soma_slm.openai_errors import ApiError

BODY_LIMIT_BYTES = 256 * 1024


async def read_json_bytes(request: Request) -> bytes:
    """Return the raw JSON body, at most 256 KiB; the schema of the route parses it.

    Only application/json is taken: a web page of another origin can send text/plain to a loopback port
    without asking, but not JSON.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "unsupported_media_type", "send the body as content-type: application/json")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_LIMIT_BYTES:
        raise _too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT_BYTES:  # a chunked body declares no length
            raise _too_large()
    return bytes(body)


def _too_large() -> ApiError:
    return ApiError(413, "body_too_large", f"the body is larger than {BODY_LIMIT_BYTES} bytes")
