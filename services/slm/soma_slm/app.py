"""The Ray Serve application: one replica that holds the engines, and its four routes.

Each handler has the same steps in the same order: authorize, read and check the body, call one use case.
"""

import time
from pathlib import Path
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from soma_slm.access import Access
from soma_slm.admission import Admission
from soma_slm.chat import Chat
from soma_slm.chat_request import parse_chat_request
from soma_slm.effect_journal import EffectJournal
from soma_slm.effect_key import read_effect_key
from soma_slm.effect_locks import EffectLocks
from soma_slm.effects import Effects
from soma_slm.embeddings import Embeddings, parse_embeddings_request
from soma_slm.gguf_control_tokens import read_control_tokens
from soma_slm.http_api import build_http_api
from soma_slm.model_server import EMBED_SLOTS, load_chat_model, load_embedding_model
from soma_slm.openai_errors import ApiError
from soma_slm.request_body import read_json_bytes
from soma_slm.settings import Settings

SCOPE_CHAT = "model.complete"
SCOPE_EMBED = "model.embed"
# How many requests Serve lets in beyond those that run or wait here: refusals are made by us, not by Serve.
SERVE_SLACK = 64

# Serve pickles the handlers below by value at the moment of the decorator: a module-level name that they use must
# stand above the class, or it is unknown in the replica.
api = build_http_api()


@serve.deployment(
    name="slm",
    ray_actor_options={"num_cpus": 1},
    max_queued_requests=1024,
    health_check_period_s=5,
    health_check_timeout_s=20,
    graceful_shutdown_timeout_s=5,
)
@serve.ingress(api)
class SmallLanguageModel:
    """The replica. Serve makes it in a worker process, so settings come as arguments, not from the environment."""

    def __init__(self, settings: Settings) -> None:
        """Load the models; a failure here fails the deployment."""
        self._settings = settings
        self._access = Access(settings.identity_url, settings.audience)
        self._control_tokens = read_control_tokens(settings.chat_gguf)
        self._chat_server = load_chat_model(
            settings.chat_gguf, settings.model_id, settings.slots, settings.context_tokens, settings.threads
        )
        self._chat_admission = Admission(settings.slots, settings.queue, settings.queue_seconds)
        folder = Path(settings.data_dir)
        journal = EffectJournal(folder, settings.journal_rows, settings.journal_mib * 1024 * 1024)
        effects = Effects(journal, EffectLocks(folder))
        self._chat = Chat(
            self._chat_server.handle_chat_completions,
            self._chat_admission,
            effects,
            settings.max_tokens,
            settings.repeat_penalty,
        )
        self._embeddings: Embeddings | None = None
        self._embed_admission = Admission(EMBED_SLOTS, settings.queue, settings.queue_seconds)
        if settings.embed_gguf is not None:
            server = load_embedding_model(settings.embed_gguf, settings.embed_model_id, settings.threads)
            self._embeddings = Embeddings(
                server.handle_embeddings, self._embed_admission, effects, settings.embed_model_id
            )
        self._started = int(time.time())

    def check_health(self) -> None:
        """Tell Serve to replace this replica when the engine has stopped."""
        if not self._chat_server.listening_address:
            raise RuntimeError("the engine has stopped")

    @api.post("/v1/chat/completions", response_model=None)
    async def chat_completions(self, request: Request) -> Response:
        """Complete a conversation, whole or as a stream."""
        caller = await self._access.require(request, SCOPE_CHAT)
        body = await read_json_bytes(request)
        wanted = parse_chat_request(body, self._settings.model_id, self._control_tokens)
        return await self._chat.answer(wanted, read_effect_key(request, caller, wanted), request)

    @api.post("/v1/embeddings", response_model=None)
    async def embeddings(self, request: Request) -> Response:
        """Turn texts into vectors."""
        caller = await self._access.require(request, SCOPE_EMBED)
        body = await read_json_bytes(request)
        if self._embeddings is None:
            raise ApiError(501, "embeddings_not_configured", "this service runs without an embedding model")
        wanted = parse_embeddings_request(body, self._settings.embed_model_id)
        return await self._embeddings.answer(wanted, read_effect_key(request, caller, wanted), request)

    @api.get("/v1/models", response_model=None)
    async def models(self, request: Request) -> dict[str, Any]:
        """List the models that answer here."""
        await self._access.require(request, SCOPE_CHAT, SCOPE_EMBED)
        return {"object": "list", "data": [self._model(name) for name in self._model_ids()]}

    @api.get("/health", response_model=None)
    async def health(self) -> dict[str, Any]:
        """Say what runs here and how busy it is; calls nothing and needs no token."""
        return {
            "status": "ok",
            "service": "somagent-slm",
            "models": self._model_ids(),
            "chat": self._chat_admission.load(),
            "embeddings": self._embed_admission.load() if self._embeddings else None,
        }

    def _model_ids(self) -> list[str]:
        settings = self._settings
        return [settings.model_id, *([settings.embed_model_id] if self._embeddings else [])]

    def _model(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._started, "owned_by": "somagent-slm"}


def build_application(settings: Settings) -> serve.Application:
    """Return the application with its limits for these settings."""
    places = settings.slots + settings.queue + EMBED_SLOTS + settings.queue + SERVE_SLACK
    return SmallLanguageModel.options(max_ongoing_requests=places).bind(settings)
