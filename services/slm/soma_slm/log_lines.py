"""JSON log lines on standard output. The parameters below are the allow-list: there is no other field.

Prompts, completions, inputs, tokens of access and addresses of callers have no parameter, so they cannot be logged.
"""

import json
import re
import sys
from datetime import UTC, datetime

SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def log_line(  # noqa: PLR0913 - one parameter for each field that may ever be written
    event: str,
    *,
    level: str = "info",
    request_id: str | None = None,
    route: str | None = None,
    status: int | None = None,
    duration_ms: int | None = None,
    code: str | None = None,
    effect_key: str | None = None,
    effect: str | None = None,
    finish_reason: str | None = None,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    url: str | None = None,
    models: list[str] | None = None,
    seconds: float | None = None,
    detail: str | None = None,
) -> None:
    """Write one line. `detail` is a fixed sentence or a setting's error, never text of a caller or an upstream.

    `effect_key` is a digest and never a caller's own text; `effect` is generated, joined, replayed or canceled.
    """
    if request_id is not None and not SAFE_REQUEST_ID.fullmatch(request_id):
        request_id = None  # a caller's own text could hold anything
    fields = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "service": "slm",
        "event": event,
        "request_id": request_id,
        "route": route,
        "status": status,
        "duration_ms": duration_ms,
        "code": code,
        "effect_key": effect_key,
        "effect": effect,
        "finish_reason": finish_reason,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "url": url,
        "models": models,
        "seconds": seconds,
        "detail": detail,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    sys.stdout.write(json.dumps(present, ensure_ascii=True) + "\n")
    sys.stdout.flush()
