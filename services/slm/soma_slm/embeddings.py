"""POST /v1/embeddings: the body that is accepted, and the use case."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from soma_slm.admission import Admission
from soma_slm.effect_key import EffectKey
from soma_slm.effects import Chunk, Effects
from soma_slm.engine_errors import engine_error, engine_failed
from soma_slm.field_errors import Strict, parse_strict
from soma_slm.openai_errors import ApiError

# Inputs given to the engine at once: between two calls a caller that has gone away is noticed.
BATCH = 4
InputText = Annotated[str, Field(min_length=1)]


class EmbeddingsRequest(Strict):
    """A checked request. Inputs are texts; arrays of token numbers are not taken."""

    input: InputText | Annotated[list[InputText], Field(min_length=1, max_length=64)]
    model: str | None = None
    # The official clients ask for base64 when nothing is said.
    encoding_format: Literal["float", "base64"] | None = None
    user: Annotated[str, Field(max_length=256)] | None = None


def parse_embeddings_request(body: bytes, model_id: str) -> EmbeddingsRequest:
    """Return the checked request, or raise the ApiError that says what is wrong."""
    wanted = parse_strict(EmbeddingsRequest, body)
    if wanted.model is not None and wanted.model != model_id:
        raise ApiError(404, "model_not_found", "there is no such embedding model here", param="model")
    return wanted


class Embeddings:
    """The use case. The engine is called in a small pool, as its calls block."""

    def __init__(
        self, call: Callable[[dict[str, Any]], Any], admission: Admission, effects: Effects, model_id: str
    ) -> None:
        """Take the engine's embedding call, the admission before it, the effects and the model's public name."""
        self._call = call
        self._admission = admission
        self._effects = effects
        self._model_id = model_id
        self._pool = ThreadPoolExecutor(admission.slots, thread_name_prefix="embedding")

    async def answer(self, wanted: EmbeddingsRequest, key: EffectKey | None, request: Request) -> Response:
        """Return the embeddings in the order of the inputs, with the engine's own token counts."""

        async def embed(_emit: Callable[[Chunk], None]) -> dict[str, Any]:
            return await self._embed_all(wanted)

        reader = self._effects.attach(key, embed, lambda _record: [], request)
        try:
            record = await reader.outcome()
        finally:
            reader.leave()
        request.state.usage = record["usage"]
        return JSONResponse(record, headers=reader.headers())

    async def _embed_all(self, wanted: EmbeddingsRequest) -> dict[str, Any]:
        texts = [wanted.input] if isinstance(wanted.input, str) else wanted.input
        encoding = wanted.encoding_format or "float"
        data: list[dict[str, Any]] = []
        prompt_tokens = 0
        slot = await self._admission.enter()
        try:
            for start in range(0, len(texts), BATCH):
                body = {"input": texts[start : start + BATCH], "encoding_format": encoding}
                part = await asyncio.get_running_loop().run_in_executor(self._pool, self._embed, body)
                prompt_tokens += part["usage"]["prompt_tokens"]
                for item in part["data"]:
                    data.append({"object": "embedding", "index": len(data), "embedding": item["embedding"]})
        finally:
            slot.release()
        usage = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
        return {"object": "list", "model": self._model_id, "data": data, "usage": usage}

    def _embed(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            part = self._call(body)
        except Exception:  # noqa: BLE001 - the engine raises bare RuntimeErrors with texts that are not for callers
            raise engine_failed() from None
        if "error" in part:
            raise engine_error(part["error"])
        return part
