"""The FastAPI application's frame: no generated pages, and every error in the OpenAI shape."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from soma_slm.openai_errors import ApiError
from soma_slm.request_log import RequestLog


def build_http_api() -> FastAPI:
    """Return an application without routes; app.py declares them."""
    api = FastAPI(title="somagent-slm", openapi_url=None, redirect_slashes=False)
    api.add_middleware(RequestLog)
    api.add_exception_handler(ApiError, _answer_api_error)
    api.add_exception_handler(HTTPException, _answer_http_exception)
    return api


async def _answer_api_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise TypeError("registered for ApiError") from error
    request.state.code = error.code
    if error.usage is not None:
        request.state.usage = error.usage
    return error.response()


async def _answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = {
        404: ("not_found", "there is no such path"),
        405: ("method_not_allowed", "this path has another method"),
    }.get(status, ("refused", "the request was refused"))
    return await _answer_api_error(request, ApiError(status, code, message))
