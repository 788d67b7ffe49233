"""One log line for each request, and the last net for failures: a pure ASGI middleware."""

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soma_slm.log_lines import log_line
from soma_slm.openai_errors import internal_error

# Other paths are the caller's own text and are not logged.
ROUTES = {"/v1/chat/completions", "/v1/embeddings", "/v1/models", "/health"}
CLIENT_GONE = 499


class RequestLog:
    """Wraps the application. Ray Serve, around it, gives and echoes x-request-id."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application inside."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request and write its line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        began = time.monotonic()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except asyncio.CancelledError:
            status = CLIENT_GONE
            raise
        except Exception as failure:  # noqa: BLE001 - nothing of it may reach the caller
            # The kind alone: the text of an exception can hold what a caller sent.
            log_line("request-failed", level="error", detail=type(failure).__name__)
            if not status:
                await internal_error().response()(scope, receive, watched_send)
        finally:
            _write(scope, state, status, began)


def _write(scope: Scope, state: dict[str, Any], status: int, began: float) -> None:
    if scope["path"] == "/health":
        return  # probes would drown the rest
    usage = state.get("usage") or {}
    log_line(
        "request",
        request_id=dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1"),
        route=scope["path"] if scope["path"] in ROUTES else "other",
        status=status,
        duration_ms=round((time.monotonic() - began) * 1000),
        code=state.get("code"),
        effect_key=state.get("effect_key"),
        effect=state.get("effect_outcome"),
        finish_reason=state.get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
    )
