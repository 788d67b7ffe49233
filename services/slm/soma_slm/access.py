"""Who may call: the bearer token of each request is verified afresh by the identity service. Fails closed."""

import asyncio
import hashlib
import json
import re
from typing import Any

import aiohttp
from starlette.requests import Request

from soma_slm.effect_key import Caller
from soma_slm.openai_errors import ApiError, busy

TOKEN_LIMIT = 8 * 1024
ANSWER_LIMIT_BYTES = 64 * 1024
DEADLINE_SECONDS = 1.0
COMPACT_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Access:
    """The check before every /v1 call. Without an identity service it lets all pass: see settings, loopback only."""

    def __init__(self, identity_url: str | None, audience: str) -> None:
        """Take the identity service's base URL (None: loopback, no check) and this service's audience."""
        self._verify_url = identity_url and f"{identity_url}/v1/tokens/verify"
        self._audience = audience
        self._session: aiohttp.ClientSession | None = None

    async def require(self, request: Request, *scopes: str) -> Caller:
        """Return the caller when its token is valid, for this audience, with one of the scopes; raise else."""
        if self._verify_url is None:
            return Caller()
        claims = await self._verified_claims(_bearer_token(request))
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _unauthorized("the token is for another audience")
        granted = claims.get("scope")
        if not isinstance(granted, str) or not set(scopes) & set(granted.split()):
            raise ApiError(403, "insufficient_scope", f"the token lacks the scope {' or '.join(scopes)}")
        _require_own_step(claims, request.headers.getlist("idempotency-key"))
        return _caller_of(claims)

    async def close(self) -> None:
        """Close the connections that are kept open to the identity service."""
        if self._session is not None:
            await self._session.close()

    async def _verified_claims(self, token: str) -> dict[str, Any]:
        try:
            answer = await asyncio.wait_for(self._ask(token), DEADLINE_SECONDS)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, RecursionError):
            raise _unavailable() from None
        valid, claims = answer.get("valid"), answer.get("claims")
        if valid is False:
            raise _unauthorized("the token is not valid")
        if valid is not True or not isinstance(claims, dict):
            raise _unavailable()
        return claims

    async def _ask(self, token: str) -> dict[str, Any]:
        """Return the identity service's JSON object; everything unusual is a ValueError."""
        if self._session is None:
            # Made here and not in __init__: it belongs to the loop that requests run on.
            self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.post(str(self._verify_url), json={"token": token}, allow_redirects=False) as response:
            if response.status != 200 or response.content_type != "application/json":  # noqa: PLR2004
                raise ValueError("status or type")
            raw = bytearray()
            async for piece in response.content.iter_any():
                raw += piece
                if len(raw) > ANSWER_LIMIT_BYTES:
                    raise ValueError("size")
        answer = json.loads(raw)
        if not isinstance(answer, dict):
            raise ValueError("shape")  # noqa: TRY004 - all that is unusual is one kind of failure here
        return answer


def _bearer_token(request: Request) -> str:
    values = request.headers.getlist("authorization")
    scheme, _, token = (values[0] if len(values) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or len(token) > TOKEN_LIMIT or not COMPACT_JWT.fullmatch(token):
        raise _unauthorized("send one header authorization: Bearer <token>")
    return token


def _caller_of(claims: dict[str, Any]) -> Caller:
    tenant, subject = claims.get("tenant_id"), claims.get("sub")
    session, step = claims.get("session_id", ""), claims.get("step", "")
    named = [value for value in (tenant, subject, session, step) if isinstance(value, str)]
    if len(named) != 4 or not tenant or not subject:  # noqa: PLR2004 - all of them
        raise _unavailable()  # an answer that does not say whose token it is
    return Caller(*named)


def effect_key(tenant: str, session: str, step: str) -> str:
    """Return what a step is known by to every target: a SHA-256 over parts, each preceded by its length in bytes."""
    parts = "".join(f"{len(part.encode())}:{part}" for part in (tenant, session, step))
    return f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}"


def _require_own_step(claims: dict[str, Any], keys: list[str]) -> None:
    """Refuse a step's token together with the key of another step: it would be done in that one's name."""
    bound = [claims.get(name) for name in ("tenant_id", "session_id", "step")]
    names = [name for name in bound if isinstance(name, str)]
    if not keys or len(names) != len(bound):
        return
    own = effect_key(*names)
    if any(key != own and not key.startswith(f"{own}/") for key in keys):
        raise ApiError(403, "wrong_step", "the idempotency-key is not that of the step that the token is for")


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, "invalid_token", message, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _unavailable() -> ApiError:
    return busy("identity_unavailable", "the identity service gave no usable answer")
