"""Program: the embeddings of the service, with its real engine and its real access check, without Ray around them.

`python -m test.embedding_service IDENTITY_URL MODEL_FILE` takes a free port of loopback; its first line is the address.
For tests of other services that need vectors and nothing else; a Ray head takes half a minute and a gigabyte.
"""

import asyncio
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from soma_slm.access import Access
from soma_slm.admission import Admission
from soma_slm.effect_journal import EffectJournal
from soma_slm.effect_locks import EffectLocks
from soma_slm.effects import Effects
from soma_slm.embeddings import Embeddings, parse_embeddings_request
from soma_slm.http_api import build_http_api
from soma_slm.model_server import EMBED_SLOTS, load_embedding_model
from soma_slm.request_body import read_json_bytes

MODEL_ID = "all-minilm-l6-v2"


async def serve(identity_url: str, model_file: str, folder: Path) -> None:
    """Serve until the process is told to end."""
    engine = load_embedding_model(model_file, MODEL_ID, 1)
    effects = Effects(EffectJournal(folder, 100, 1024 * 1024), EffectLocks(folder))
    embeddings = Embeddings(engine.handle_embeddings, Admission(EMBED_SLOTS, 32, 20), effects, MODEL_ID)
    access = Access(identity_url, "somagent-slm")
    api = build_http_api()

    @api.post("/v1/embeddings", response_model=None)
    async def answer(request: Request) -> Response:
        await access.require(request, "model.embed")
        return await embeddings.answer(
            parse_embeddings_request(await read_json_bytes(request), MODEL_ID), None, request
        )

    @api.get("/health", response_model=None)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(uvicorn.Config(api, log_level="error")).serve(sockets=[listener])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(serve(sys.argv[1], sys.argv[2], Path(name)))
