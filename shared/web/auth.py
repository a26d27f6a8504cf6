"""Bearer tokens: JWT (RFC 7519), signed with an asymmetric key, for one audience, with scopes.

Whoever acts is known by the token's subject, normalised: two spellings that people take for one name are one person.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jwt
import typer
from fastapi import Request, Security, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from shared.base.clock import read_system_clock
from shared.base.signing_keys import PublicKeySet, get_signing_keys
from shared.contracts.scopes import is_scope
from shared.pure.actor_names import MAX_SUBJECT_CHARS, fold_actor_name
from shared.pure.errors import Refusal

if TYPE_CHECKING:
    from shared.base.settings import Settings

MAX_TOKEN_CHARS = 8192
SKEW_SECONDS = 5
"""How far the clock of who made a token may be before ours."""
_OR = "|"
"""Between the scopes of which a route needs one."""
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that show nothing and are no space, beside control and format characters."""


class RequestNotAuthenticated(Refusal):
    """There is no token, or it is not one that this service believes."""

    code = "not_authenticated"
    status = 401


class SigningKeyUnknown(RequestNotAuthenticated):
    """The token is signed by a key that is not among ours, or not yet."""


class ScopeMissing(Refusal):
    """The token does not carry the scope that this route needs."""

    code = "not_allowed"
    status = 403


def normalise_token_subject(text: str) -> str:
    """Normalise a token's subject.

    Raises RequestNotAuthenticated for one that is empty, too long, or not all to be seen.
    """
    folded = fold_actor_name(text)
    if not 0 < len(folded) <= MAX_SUBJECT_CHARS:
        raise RequestNotAuthenticated(f"the token's subject has not 1 to {MAX_SUBJECT_CHARS} characters")
    if any(unicodedata.category(character)[0] == "C" for character in text + folded) or _INVISIBLE.search(
        text + folded
    ):
        raise RequestNotAuthenticated("the token's subject has characters that nobody sees")
    return folded


def parse_command_actor(text: str) -> str:
    """Parse the name of who runs a command, by the same rule. Raises typer's BadParameter."""
    try:
        return normalise_token_subject(text)
    except RequestNotAuthenticated as error:
        raise typer.BadParameter(f"--actor: {error.detail}") from error


def is_same_actor(actor: str, other: str) -> bool:
    """Say whether two actors are the same, however each is written: also as it was stored by another rule."""
    return fold_actor_name(actor) == fold_actor_name(other)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by their token."""

    subject: str
    """Normalised."""
    scopes: frozenset[str]
    expires_at: float
    roles: frozenset[str] = frozenset()
    """What they are in the company (claim `roles`, separated by blanks): limits of amounts hang on it."""


@lru_cache(maxsize=10_000)
def _verify(token: str, audience: str, issuer: str, max_seconds: int, keys: PublicKeySet) -> Caller:
    """Check a token. What was found good is remembered with the keys by which it is, and forgotten with them."""
    try:
        key = keys.find_public_key(_get_kid(token))
        if key is None:
            raise SigningKeyUnknown("the token's key is not known")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=audience,
            issuer=issuer,
            leeway=SKEW_SECONDS,
            options={"require": ["exp", "iat", "iss", "sub", "aud"]},
        )
        expires_at, issued_at = float(claims["exp"]), float(claims["iat"])
    except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError) as error:
        raise RequestNotAuthenticated(f"the token is not valid: {error}") from error
    if not expires_at - issued_at <= max_seconds:
        raise RequestNotAuthenticated(f"the token is good for more than {max_seconds} seconds")
    scopes, roles = (frozenset(str(claims.get(name, "")).split()) for name in ("scope", "roles"))
    return Caller(normalise_token_subject(claims["sub"]), scopes, expires_at, roles)


def _get_kid(token: str) -> str:
    """Get the id of the key of a token. Raises RequestNotAuthenticated."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise RequestNotAuthenticated("the token is not valid: its header cannot be read") from error
    if not isinstance(kid, str):
        raise RequestNotAuthenticated("the token names no key")
    return kid


def verify_token(token: str, audience: str, settings: "Settings") -> Caller:
    """Check that a token is for this audience, by keys that are in the file.

    Raises RequestNotAuthenticated, SigningKeysMissing. A token that was found good is remembered as long as the keys
    are the same; a bad one is checked each time.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise RequestNotAuthenticated(f"the token has more than {MAX_TOKEN_CHARS} characters")
    signing_keys, rules = get_signing_keys(settings.jwks_file), (settings.issuer, settings.max_token_seconds)
    try:
        caller = _verify(token, audience, *rules, signing_keys.get_key_set())
    except SigningKeyUnknown:
        caller = _verify(token, audience, *rules, signing_keys.get_newer_key_set())
    if caller.expires_at <= read_system_clock().timestamp():
        raise RequestNotAuthenticated("the token is expired")
    return caller


_bearer = HTTPBearer(auto_error=False, description="`make token` makes one for the local stack")


async def _authorise_request(
    request: Request,
    needed: SecurityScopes,
    credentials: HTTPAuthorizationCredentials | None = Security(_bearer),
) -> Caller:
    if credentials is None:
        raise RequestNotAuthenticated("this route needs a bearer token")
    return authorise_token(request, needed.scopes, credentials.credentials)


def authorise_request(request: Request, scopes: Iterable[str]) -> Caller:
    """Let a caller go on by the head of their request alone. Raises RequestNotAuthenticated, ScopeMissing."""
    sent = request.headers.getlist("authorization")
    scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise RequestNotAuthenticated("this route needs a bearer token")
    return authorise_token(request, scopes, token.strip())


def authorise_token(request: Request, scopes: Iterable[str], token: str) -> Caller:
    """Let the caller of a token go on, who is the request's from now on.

    Raises RequestNotAuthenticated, ScopeMissing.
    """
    runtime = request.app.state.runtime
    caller = verify_token(token, runtime.service.name, runtime.settings)
    missing = [scope for scope in scopes if caller.scopes.isdisjoint(scope.split(_OR))]
    if missing:
        raise ScopeMissing(f"the token lacks the scope {', '.join(sorted(missing)).replace(_OR, ' or ')}")
    request.state.caller = caller
    return caller


def is_scope_dependency(call: object) -> bool:
    """Say whether a dependency is the one that checks the token and its scopes."""
    return call is _authorise_request


def find_required_scopes(dependencies: Iterable[params.Depends]) -> tuple[str, ...] | None:
    """Find the scopes that a route with these dependencies needs; None if it needs no token."""
    checks = [dependency for dependency in dependencies if is_scope_dependency(dependency.dependency)]
    scopes = [scope for check in checks if isinstance(check, params.Security) for scope in check.scopes or ()]
    return tuple(scopes) if checks else None


def needs(*scopes: str) -> Any:
    """Build the dependency of a router whose routes need these scopes, which there must be."""
    unknown = [name for scope in scopes for name in scope.split(_OR) if not is_scope(name)]
    assert not unknown, f"scopes that are not in shared/contracts/scopes.py: {unknown}"
    return Security(_authorise_request, scopes=list(scopes))


def needs_one_of(*scopes: str) -> Any:
    """Build the dependency of a router whose routes need any of these scopes, and look at which one themselves."""
    return needs(_OR.join(scopes))
