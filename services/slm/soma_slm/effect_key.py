"""The effect key of a request: the caller's `Idempotency-Key`, bound to who asks and to what is asked."""

import hashlib
import json
import re
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request

from soma_slm.openai_errors import ApiError, bad_request

KEY = re.compile(r"[!-~]{1,255}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# How an answer is sent, how long it may be and a name that is not used: none of them is what is asked. The limit is
# the permit's and may be another one when policy decided anew; an outcome of the first permit is still the outcome.
NOT_WHAT_IS_ASKED = {"stream", "stream_options", "max_tokens", "max_completion_tokens", "user"}


@dataclass(frozen=True)
class Caller:
    """Whom the identity service named; all empty where this service runs without one, on loopback."""

    tenant: str = ""
    subject: str = ""
    session: str = ""
    step: str = ""


@dataclass(frozen=True)
class EffectKey:
    """One effect. Keys of different tenants have nothing to do with each other."""

    tenant: str
    # sha256:<hex>, the caller's own text when it is one: this is written to logs and listed.
    name: str
    route: str
    # What must be the same again: caller and request, as canonical JSON. Holds texts; the journal keeps its MAC.
    bound: bytes

    @property
    def place(self) -> tuple[str, str]:
        """Return what is unique."""
        return self.tenant, self.name


def read_effect_key(request: Request, caller: Caller, wanted: BaseModel) -> EffectKey | None:
    """Return the request's effect key, None when it has none; raise a 400 for a header that is no key."""
    values = request.headers.getlist("idempotency-key")
    if not values:
        return None
    if len(values) != 1 or not KEY.fullmatch(values[0]):
        raise bad_request("invalid_idempotency_key", "Idempotency-Key: one header of 1 to 255 visible ASCII characters")
    text = values[0]
    name = text if DIGEST.fullmatch(text) else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    asked = wanted.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=NOT_WHAT_IS_ASKED)
    route = request.url.path
    bound = json.dumps(
        [route, [caller.tenant, caller.subject, caller.session, caller.step], asked],
        sort_keys=True,
        separators=(",", ":"),
    )
    request.state.effect_key = name
    return EffectKey(caller.tenant, name, route, bound.encode())


def key_reused() -> ApiError:
    """Return the 422 for a key that stands for something else. It says nothing of what that is."""
    message = "Idempotency-Key: this key was used for another request or by another caller"
    return ApiError(422, "idempotency_key_reused", message, param="Idempotency-Key")
