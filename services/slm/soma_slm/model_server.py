"""Loading a GGUF into the xllamacpp engine, with every setting that its defaults get wrong for a small machine."""

import os
import secrets
from typing import Any

# Measured: with larger batches a cancelled prompt holds its slot for up to 12 s, with 128 under 1 s, at equal speed.
PROMPT_BATCH_TOKENS = 128
EMBED_LIMIT_TOKENS = 512
EMBED_SLOTS = 2


def load_chat_model(path: str, alias: str, slots: int, context_tokens: int, threads: int) -> Any:  # noqa: ANN401
    """Return a running engine for chat. Each slot has `context_tokens`; the engine's own number is their sum."""
    return _load(
        path,
        alias,
        threads,
        n_ctx=slots * context_tokens,
        n_parallel=slots,
        n_batch=PROMPT_BATCH_TOKENS,
        n_ubatch=PROMPT_BATCH_TOKENS,
    )


def load_embedding_model(path: str, alias: str, threads: int) -> Any:  # noqa: ANN401 - the engine has no types
    """Return a running engine for embeddings by mean pooling; a text must fit into one batch."""
    import xllamacpp  # noqa: PLC0415 - see _load

    return _load(
        path,
        alias,
        threads,
        embedding=True,
        pooling_type=xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN,
        n_ctx=EMBED_SLOTS * EMBED_LIMIT_TOKENS,
        n_parallel=EMBED_SLOTS,
        n_batch=EMBED_LIMIT_TOKENS,
        n_ubatch=EMBED_LIMIT_TOKENS,
    )


def _load(path: str, alias: str, threads: int, **more: Any) -> Any:  # noqa: ANN401
    # Read by libgomp when it is loaded, so it must stand before the import. Spinning threads on a busy two-core
    # machine cut generation from 19-75 to 1-5 tokens a second.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    import xllamacpp  # noqa: PLC0415

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {alias}  # else answers carry the file's path
    params.verbosity = -1
    params.warmup = True
    params.n_gpu_layers = 0
    params.cache_ram_mib = 64  # the default is 8 GiB
    params.n_ctx_checkpoints = 0
    # The engine always opens an HTTP server of its own on loopback: lock it with a key that nobody knows.
    params.ui = False
    params.cors_origins = ""
    params.api_keys = [secrets.token_hex(32)]
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0
    for name, value in more.items():
        setattr(params, name, value)
    return xllamacpp.Server(params)
