"""An LTI 1.3 launch: who signed it, whether it is good, and how one that is not is refused.

==== ============================================================================================================
400  what came is not what LTI 1.3 says: an argument or a claim is missing or of a wrong kind, the login was
     begun for another LMS or client, or this browser began no such login (or used it up already)
401  the launch is not one that the LMS made for this login: wrong signature, algorithm, issuer, audience or nonce,
     expired, too old, or dated in the future
403  the LMS vouches for the person, and ``hub.yaml`` does not let them in; or the LMS itself said no
503  the LMS's keys cannot be had; 504: the LMS does not answer
==== ============================================================================================================
"""

# mypy: disable-error-code="import-untyped"

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import jwt
from ltiauthenticator.lti13.constants import LTI13_CUSTOM_CLAIM
from ltiauthenticator.lti13.error import InvalidAudienceError, TokenError, ValidationError
from ltiauthenticator.lti13.validator import LTI13LaunchValidator
from tornado.web import HTTPError

from .config import Lti13

ALGORITHMS = ["RS256"]
"""What the 1EdTech Security Framework asks of every LMS (section 5.1.3). HS256 would make the public key a secret."""

FRESH = 300
"""Seconds after which the LMS is asked for its keys again: for so long a key that it withdrew is good here."""

STALE = 3600
"""Seconds for which known keys are good while the LMS does not give any."""

FETCH_EVERY = 3
"""Seconds between two fetches at least, so that launches with invented key ids cannot hammer the LMS."""

FETCH_TIMEOUT = 5
"""Seconds for which the LMS may keep a fetch waiting."""

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_AGAIN = "Go back to your course and open the link again. If that does not help, tell your teacher what this page says."
_LATER = "Go back to your course and open the link again in a minute."
ADMIN = "Please tell whoever runs your learning platform what this page says."


class Refused(HTTPError):
    """A launch that lets nobody in: ``why`` for the page and the log, ``detail`` for the log alone.

    Neither holds what a client sent, nor anything of the token.
    """

    def __init__(self, status: int, why: str, advice: str = _AGAIN, detail: str = "") -> None:
        super().__init__(status, "%s", f"{why}: {detail}" if detail else why)
        if status == 401:
            self.headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}  # RFC 9110 asks for one, 6750 names it
        self.jupyterhub_message = f"This launch did not let you in: {why}. {advice}"  # what the hub's page shows


_SILENCE = "no answer"


def _is_silence(error: BaseException) -> bool:
    cause = error.__cause__ or error  # PyJWT wraps urllib's error, and urllib the socket's
    return isinstance(cause, TimeoutError) or isinstance(getattr(cause, "reason", None), TimeoutError)


class Keys:
    """The LMS's public keys, by their ids.

    They are fetched in a thread of their own, one fetch at a time, so that an LMS which does not answer keeps
    launches waiting and nothing else.
    """

    def __init__(self, url: str) -> None:
        # Its own cache is not used: failed fetches are not limited by it, and its lock blocks a thread a launch.
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT)
        self._worker = ThreadPoolExecutor(1, "lti13-keys")
        self._lock = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._asked = float("-inf")
        self._problem = ""

    async def find(self, key_id: str) -> jwt.PyJWK:
        """The key with that id. Raises Refused: 401 when the LMS has none, 503 or 504 when it cannot be asked."""
        came = monotonic()
        if self._is_wanting(key_id):
            async with self._lock:
                if self._is_wanting(key_id) and self._asked < came:
                    await self._fetch()
        if self._problem and (key_id not in self._keys or monotonic() - self._fetched > STALE):
            if self._problem == _SILENCE:
                raise Refused(504, "the LMS does not answer when it is asked for its keys", _LATER)
            raise Refused(503, "the LMS's keys cannot be had", _LATER, self._problem)
        if key_id not in self._keys:
            raise Refused(401, "it is signed with a key that the LMS does not have")
        return self._keys[key_id]

    def _is_wanting(self, key_id: str) -> bool:
        return key_id not in self._keys or monotonic() - self._fetched > FRESH

    async def _fetch(self) -> None:
        # Waiting, and not refusing at once: a launch right after the LMS rotated its key is good.
        await asyncio.sleep(self._asked + FETCH_EVERY - monotonic())
        self._asked = monotonic()
        fetch = asyncio.get_running_loop().run_in_executor(self._worker, self._client.get_signing_keys)
        try:
            found = await asyncio.wait_for(fetch, FETCH_TIMEOUT + 1)
        except (TimeoutError, jwt.PyJWTError, OSError, ValueError) as error:
            self._problem = _SILENCE if _is_silence(error) else str(error)
        else:
            self._keys = {key.key_id: key for key in found if key.key_id}
            self._fetched, self._problem = monotonic(), ""


async def judge(token: str, keys: Keys, lms: Lti13, client_id: str) -> dict[str, Any]:
    """The claims of a launch that the LMS signed for ``client_id``. Raises Refused for any other."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Refused(400, "what the LMS sent is no signed token") from None
    # Before any key is asked for: neither "none" nor a symmetric algorithm gets near one.
    if header.get("alg") not in ALGORITHMS:
        raise Refused(401, f"it is not signed with {' or '.join(ALGORITHMS)}")
    key_id = header.get("kid")
    if not key_id:
        raise Refused(400, "it does not say which of the LMS's keys signed it")
    claims = _decode(token, await keys.find(key_id), lms, client_id)
    _check(claims, lms, client_id)
    return claims


def _decode(token: str, key: jwt.PyJWK, lms: Lti13, client_id: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=lms.issuer,
            leeway=lms.leeway,
            options={"require": ["iss", "aud", "exp", "iat", "nonce"]},
        )
    except jwt.MissingRequiredClaimError as error:
        raise Refused(400, f"it lacks the claim {error.claim}", ADMIN) from None
    except jwt.ExpiredSignatureError:
        raise Refused(401, "it has expired") from None
    except jwt.ImmatureSignatureError:
        raise Refused(401, "it is dated in the future; the clocks of LMS and hub differ", ADMIN) from None
    except jwt.InvalidIssuerError:
        raise Refused(401, "it is from another issuer than this hub's LMS", ADMIN) from None
    except jwt.InvalidAudienceError:
        raise Refused(401, "it is meant for another client", ADMIN) from None
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError):
        raise Refused(401, "its signature is wrong") from None
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise Refused(400, f"it cannot be read ({type(error).__name__})", ADMIN) from None


def _check(claims: dict[str, Any], lms: Lti13, client_id: str) -> None:
    """What LTI 1.3 says of a launch beyond its signature: ltiauthenticator's checks, and those that it leaves out."""
    for name in ("context", "resource_link", "custom"):
        if not isinstance(claims.get(_CLAIM + name, {}), Mapping):
            raise Refused(400, f"its claim {name} is not of the kind that LTI 1.3 says", ADMIN)
    validator = LTI13LaunchValidator(time_leeway=lms.leeway, max_age=lms.max_age)
    try:
        validator.validate_id_token(claims)
        validator.validate_azp_claim(claims, {client_id})
    except InvalidAudienceError:
        raise Refused(401, "it is meant for another client", ADMIN) from None
    except TokenError:
        raise Refused(401, "the LMS signed it too long ago") from None
    except ValidationError as error:
        raise Refused(400, f"it is incomplete ({error})", ADMIN) from None
    if claims.get("azp", client_id) != client_id:
        raise Refused(401, "it is meant for another client", ADMIN)
    if not claims[_CLAIM + "deployment_id"]:
        raise Refused(400, "its deployment_id is empty", ADMIN)


def name_in(claims: dict[str, Any], claim: str) -> str:
    """What the LMS calls the person, by the claim that the lab chose. Raises Refused when the launch lacks it.

    Never by another claim instead, as upstream does: one person's ``sub`` may be another's e-mail address.
    """
    custom = claim.startswith("custom_")
    value = claims.get(LTI13_CUSTOM_CLAIM, {}).get(claim[len("custom_") :]) if custom else claims.get(claim)
    # LMS's write numbers of their own where a custom field says a number.
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise Refused(400, f"it does not say who you are: the claim {claim} is missing", ADMIN)
    return str(value).strip()
