"""Errors in the shape that OpenAI clients know. Texts are ours: no upstream text, no path, no trace."""

from typing import Any

from starlette.responses import JSONResponse

# A slot frees within seconds on the models this service is for; clients add their own jitter.
RETRY_AFTER_SECONDS = 2


class ApiError(Exception):
    """A refusal or failure that the caller may see as it is."""

    def __init__(  # noqa: PLR0913 - the fields of the wire shape, named at every call
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> None:
        """Take the HTTP status, a closed code, a public sentence, and what the error names or carries."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = headers or {}
        self.usage = usage

    def body(self) -> dict[str, Any]:
        """Return the JSON document: error, and the tokens already spent when there were any."""
        document: dict[str, Any] = {
            "error": {
                "message": self.message,
                "type": _type_of(self.status),
                "param": self.param,
                "code": self.code,
            }
        }
        if self.usage is not None:
            document["usage"] = self.usage
        return document

    def response(self) -> JSONResponse:
        """Return the whole HTTP answer."""
        return JSONResponse(self.body(), status_code=self.status, headers=self.headers)


def bad_request(code: str, message: str, param: str | None = None) -> ApiError:
    """Return a 400 that names the field."""
    return ApiError(400, code, message, param=param)


def busy(code: str, message: str) -> ApiError:
    """Return a 503 with Retry-After: nothing is wrong with the request, it may come again."""
    return ApiError(503, code, message, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def internal_error() -> ApiError:
    """Return the 500 that says nothing of its cause; the log names the kind of failure."""
    return ApiError(500, "internal_error", "the service failed while it worked on this request")


def _type_of(status: int) -> str:
    named = {401: "authentication_error", 403: "permission_error", 501: "not_supported_error"}
    if status in named:
        return named[status]
    return "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004 - RFC 9110, section 15
