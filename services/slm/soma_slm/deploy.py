"""Putting the application onto Ray Serve, checking that it is there, and taking it away."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import ray
from ray import serve

from soma_slm.app import build_application
from soma_slm.settings import Settings

APPLICATION = "somagent-slm"
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
SELF_CHECK_SECONDS = 15
STATUS_SECONDS = 10.0
DELETE_SECONDS = 15.0
CLOSE_SECONDS = 5.0


class DeployError(RuntimeError):
    """The application is not there as wanted. The text is one line for the operator."""


def deploy(settings: Settings) -> dict[str, Any]:
    """Deploy the application, wait until it answers over HTTP at the configured address, return its health."""
    try:
        serve.start(http_options={"host": settings.host, "port": settings.port})
        serve.run(build_application(settings), name=APPLICATION, route_prefix="/")
    except Exception as error:
        raise DeployError(
            f"Ray Serve did not start the application ({type(error).__name__}): see the replica's log in Ray's"
            " session folder; a model file that the engine cannot load and a taken SLM_PORT are the usual causes"
        ) from error
    deadline = time.monotonic() + SELF_CHECK_SECONDS
    while time.monotonic() < deadline:
        health = _health(settings)
        if health is not None and health.get("models", [None])[0] == settings.model_id:
            return health
        time.sleep(0.2)
    # Serve keeps the address it was first started with on this head, and says so in a warning only.
    raise DeployError(
        f"SLM_PORT: found '{settings.port}', where the application does not answer: another process has the port,"
        " or this Ray head already serves elsewhere"
    )


def application_problem() -> str | None:
    """Return why the application is gone for good, or None. Replaced replicas are Serve's own business."""
    status = _bounded(lambda: serve.status().applications.get(APPLICATION), STATUS_SECONDS)
    if isinstance(status, Exception):
        return "Ray Serve's controller does not answer"
    if status is None:
        return "the application was deleted by someone else"
    return "the deployment has failed" if status.status == "DEPLOY_FAILED" else None


def remove() -> bool:
    """Delete the application and leave Ray, within a bounded time; say whether that was confirmed."""
    deleted = _bounded(_delete, DELETE_SECONDS)
    left = _bounded(ray.shutdown, CLOSE_SECONDS)
    return not isinstance(deleted, Exception) and not isinstance(left, Exception)


def _delete() -> None:
    serve.delete(APPLICATION)
    if not serve.status().applications:
        # Serve's own processes would keep the HTTP address of this start for the next one, and the head from ending.
        serve.shutdown()


def _health(settings: Settings) -> dict[str, Any] | None:
    host = ANY_ADDRESS.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        document = json.loads(answer.read(65536)) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return document if isinstance(document, dict) and document.get("service") == APPLICATION else None


def _bounded(call: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401 - the result of any call
    """Return the call's result, or the exception that it raised or that its deadline is: Ray's calls can hang."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - handed to the caller as a value
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else TimeoutError()
