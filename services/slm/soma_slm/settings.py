"""The service's settings: the environment, read once at the start."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soma_slm.environment import SettingError, read_decimal, read_http_url, read_integer, read_optional, read_text
from soma_slm.model_files import bundled_chat_model, check_gguf, model_id_of

MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
RAY_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
BUNDLED_MODEL_ID = "smollm2-135m-instruct"


@dataclass(frozen=True)
class Settings:
    """All that the application is told from outside. Holds no secret, so it may be shown."""

    host: str
    port: int
    ray_address: str
    ray_namespace: str
    chat_gguf: str
    model_id: str
    embed_gguf: str | None
    embed_model_id: str
    slots: int
    context_tokens: int
    max_tokens: int
    threads: int
    queue: int
    queue_seconds: int
    identity_url: str | None
    audience: str
    data_dir: str
    journal_rows: int
    journal_mib: int
    repeat_penalty: float


def read_settings(env: Mapping[str, str]) -> Settings:
    """Check every variable and return the settings, or raise SettingError for the first bad one."""
    named_gguf = read_optional(env, "SLM_GGUF")
    embed_gguf = read_optional(env, "SLM_EMBED_GGUF")
    for variable, path in (("SLM_GGUF", named_gguf), ("SLM_EMBED_GGUF", embed_gguf)):
        if path is not None:
            check_gguf(variable, path)
    default_id = model_id_of(named_gguf) if named_gguf else BUNDLED_MODEL_ID
    settings = Settings(
        host=read_text(env, "SLM_HOST", "127.0.0.1"),
        port=read_integer(env, "SLM_PORT", 8000, 1, 65535),
        ray_address=_read_ray_address(env),
        ray_namespace=read_text(env, "RAY_NAMESPACE", "somagent"),
        chat_gguf=named_gguf or bundled_chat_model(),
        model_id=_read_model_id(env, "SLM_MODEL_ID", default_id),
        embed_gguf=embed_gguf,
        embed_model_id=_read_model_id(env, "SLM_EMBED_MODEL_ID", "all-minilm-l6-v2"),
        slots=read_integer(env, "SLM_SLOTS", 4, 1, 32),
        context_tokens=read_integer(env, "SLM_CONTEXT_TOKENS", 2048, 256, 131072),
        max_tokens=read_integer(env, "SLM_MAX_TOKENS", 1024, 1, 131072),
        threads=read_integer(env, "SLM_THREADS", 1, 1, 64),
        queue=read_integer(env, "SLM_QUEUE", 32, 0, 256),
        queue_seconds=read_integer(env, "SLM_QUEUE_SECONDS", 20, 1, 600),
        identity_url=_read_identity_url(env),
        audience=read_text(env, "SLM_AUDIENCE", "somagent-slm"),
        # Replicas run in another working directory, so a relative path is made absolute here.
        data_dir=str(Path(read_text(env, "SLM_DATA_DIR", "./data")).absolute()),
        journal_rows=read_integer(env, "SLM_JOURNAL_ROWS", 200_000, 100, 10_000_000),
        journal_mib=read_integer(env, "SLM_JOURNAL_MIB", 256, 1, 65_536),
        # Measured for the built-in model only.
        repeat_penalty=read_decimal(env, "SLM_REPEAT_PENALTY", "1" if named_gguf else "1.1", 1, 2),
    )
    if settings.model_id == settings.embed_model_id:
        raise SettingError("SLM_EMBED_MODEL_ID", settings.embed_model_id, "a name other than the chat model's")
    if settings.identity_url is None and not is_loopback(settings.host):
        raise SettingError(
            "SLM_HOST",
            settings.host,
            "a loopback address (127.0.0.1, ::1) while IDENTITY_SERVICE_URL is unset",
        )
    return settings


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach the address; a name other than localhost is not trusted."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_model_id(env: Mapping[str, str], variable: str, default: str) -> str:
    value = read_text(env, variable, default)
    if not MODEL_ID.fullmatch(value):
        raise SettingError(variable, value, "letters, digits and . _ : / -, at most 128")
    return value


def _read_ray_address(env: Mapping[str, str]) -> str:
    value = read_text(env, "RAY_ADDRESS", "auto")
    match = RAY_HOST_PORT.fullmatch(value)
    if value != "auto" and not (match and 0 < int(match.group(2)) <= 65535):  # noqa: PLR2004 - the last port
        raise SettingError("RAY_ADDRESS", value, "'auto' or host:port of a Ray head")
    return value


def _read_identity_url(env: Mapping[str, str]) -> str | None:
    """Accept the base URL, or the full one that another service of the stack may share with us."""
    url = read_http_url(env, "IDENTITY_SERVICE_URL")
    if url is None:
        return None
    return url.removesuffix("/v1/tokens/issue").removesuffix("/v1/tokens/verify")
