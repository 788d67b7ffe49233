"""The connection to the Ray head: waiting for it, joining it, noticing that it has gone."""

import logging
import os
import socket
import time
from pathlib import Path

import ray

from soma_slm.settings import Settings

CONNECT_SECONDS = 1.0
WAIT_FOR_HEAD_SECONDS = 60
SERVICE_FOLDER = Path(__file__).resolve().parent.parent


class HeadError(RuntimeError):
    """The head cannot be used. The text is one line for the operator."""


def join_head(settings: Settings) -> str:
    """Connect this process to the head and return the head's address (host:port)."""
    if settings.ray_address != "auto":
        _wait_for(settings.ray_address)
    try:
        ray.init(
            address=settings.ray_address,
            namespace=settings.ray_namespace,
            log_to_driver=False,
            logging_level="error",
            # Replicas are other processes, started in another folder: they must find this package.
            runtime_env={"env_vars": {"PYTHONPATH": _python_path(), "OMP_WAIT_POLICY": "passive"}},
        )
    except Exception as error:
        reason = "no usable Ray head (is it running, and is the same RAY_AUTH_MODE and token set here?)"
        raise HeadError(f"RAY_ADDRESS: found {settings.ray_address!r}, {reason}") from error
    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # its progress lines are not JSON
    return str(ray.get_runtime_context().gcs_address)


def head_answers(address: str) -> bool:
    """Say whether the head's port takes a connection within a second."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _wait_for(address: str) -> None:
    """Ray's own wait is long and silent, so the port is tried first."""
    deadline = time.monotonic() + WAIT_FOR_HEAD_SECONDS
    while not head_answers(address):
        if time.monotonic() > deadline:
            raise HeadError(f"RAY_ADDRESS: found {address!r}, nothing took a connection for {WAIT_FOR_HEAD_SECONDS} s")
        time.sleep(0.2)


def _python_path() -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(SERVICE_FOLDER), *([inherited] if inherited else [])])
