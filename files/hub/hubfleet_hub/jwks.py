"""An LMS's public keys: fetched, and judged by what LTI 1.3 needs of them.

``python -m hubfleet_hub.jwks URL`` prints one line, ``good: ...`` or ``bad: what; what to do``, and ends with status 0
or 1: the deploy asks from where the hub stands, before it touches the hub.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

WITHIN = 15.0
"""Seconds for the whole answer."""

LARGEST = 256 * 1024
"""Bytes; real ones have a few thousand."""

LEAST_BITS = 2048
"""RFC 7518, section 3.3: a shorter RSA key must not be used with RS256."""


class KeysError(Exception):
    """No launch can be judged by what is there; the message says why and what to do."""


def fetch(url: str, within: float = WITHIN) -> bytes:
    """What is at ``url``, by way of the environment's proxies. Blocks. Raises KeysError."""
    end = time.monotonic() + within
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "hubfleet"})
    try:
        with urllib.request.urlopen(request, timeout=within) as answer:
            content = b""
            # An answer that trickles keeps each single read within its time.
            while piece := answer.read1(65536):
                content += piece
                if len(content) > LARGEST:
                    raise KeysError(f"answers with more than {LARGEST // 1024} KiB; is it the public keyset URL?")
                if time.monotonic() > end:
                    raise TimeoutError
            return content
    except urllib.error.HTTPError as error:
        raise KeysError(f"answers {error.code} {error.reason}; is it the public keyset URL?") from error
    except TimeoutError as error:
        raise KeysError(f"gives no answer within {within:g} s; may this host reach it?") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise KeysError(f"gives no answer within {within:g} s; may this host reach it?") from error
        told = getattr(reason, "verify_message", "") or reason
        what = "name the authority in extra_ca" if "certificate" in str(told) else "may this host reach it?"
        raise KeysError(f"cannot be reached: {told}; {what}") from error
    except ValueError as error:
        raise KeysError(f"is no address: {error}; correct it") from error


def usable(document: bytes) -> dict[str, RSAPublicKey]:
    """The keys of a set that RS256 signatures can be judged by, by key id. Raises KeysError."""
    try:
        entries = json.loads(document)["keys"]
    except (ValueError, TypeError, KeyError) as error:
        raise KeysError("is no set of keys (JSON with 'keys'); is it the public keyset URL?") from error
    if not isinstance(entries, list):
        raise KeysError("is no set of keys (JSON with 'keys'); is it the public keyset URL?")
    found, short = {}, 0
    for entry in entries:
        key = _key(entry)
        if key is None:
            continue
        if key.key_size < LEAST_BITS:
            short = max(short, key.key_size)
            continue
        found[str(entry["kid"])] = key
    if not found:
        why = f"its RSA keys have {short} bits at most, and fewer than {LEAST_BITS} are not safe" if short else ""
        raise KeysError(
            f"has no key for RS256 signatures{': ' + why if why else ''}; have the LMS's administrator make one"
        )
    return found


def _key(entry: Any) -> RSAPublicKey | None:
    """The key, if it is one for RS256 signatures; a launch says by its id which one signed it."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "d" in entry or not entry.get("kid"):
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    if "verify" not in entry.get("key_ops", ["verify"]):
        return None
    try:
        key = PyJWK(entry, "RS256").key
    except PyJWTError:
        return None
    return key if isinstance(key, RSAPublicKey) else None


def judged(url: str) -> str:
    """One line about the keys at ``url``. Raises KeysError."""
    keys = usable(fetch(url))
    return f"{len(keys)} usable key{'s' * (len(keys) > 1)}, {min(key.key_size for key in keys.values())} bits or more"


def main() -> None:
    (url,) = sys.argv[1:]
    try:
        print(f"good: {judged(url)}")
    except KeysError as error:
        print(f"bad: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
