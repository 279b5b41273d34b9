"""An LMS's public keys: what is taken, and what is said of what is not."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hubfleet_hub import jwks
from hubfleet_hub.jwks import KeysError

RSA_KEY = rsa.generate_private_key(65537, 2048)


def entry(key: rsa.RSAPrivateKey = RSA_KEY, **more: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "a", **more}


def elliptic() -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True), "kid": "e"}


def key_set(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


@pytest.mark.parametrize(
    "document",
    [
        key_set({"kty": "RSA"}, elliptic(), 5, entry()),
        key_set(entry(use="sig", alg="RS256")),
        key_set(entry(key_ops=["verify"])),
    ],
    ids=["beside-others", "with-its-use", "with-its-operations"],
)
def test_a_key_that_judges_rs256_signatures_is_taken(document: bytes) -> None:
    keys = jwks.usable(document)
    assert {name: key.public_numbers() for name, key in keys.items()} == {"a": RSA_KEY.public_key().public_numbers()}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"<html>Log in</html>", "is no set of keys"),
        (b"[]", "is no set of keys"),
        (b'{"keys": {}}', "is no set of keys"),
        (key_set(), "has no key for RS256 signatures;"),
        (key_set(elliptic()), "has no key for RS256 signatures;"),
        (key_set(entry(use="enc")), "has no key for RS256 signatures;"),
        (key_set(entry(alg="RS512")), "has no key for RS256 signatures;"),
        (key_set(entry(kid="")), "has no key for RS256 signatures;"),
        (key_set(entry(n="!")), "has no key for RS256 signatures;"),
        (key_set(RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)), "has no key for RS256 signatures;"),
        (key_set(entry(rsa.generate_private_key(65537, 1024))), "1024 bits at most, and fewer than 2048 are not safe"),
    ],
    ids=[
        "a-page",
        "a-list",
        "no-list",
        "empty",
        "elliptic",
        "for-secrets",
        "for-others",
        "nameless",
        "broken",
        "private",
        "short",
    ],
)
def test_what_cannot_judge_a_launch_is_told_with_what_to_do(document: bytes, why: str) -> None:
    with pytest.raises(KeysError, match=why) as told:
        jwks.usable(document)
    assert "; " in str(told.value) or "?" in str(told.value)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], str]]:
    """Answers every request as told; returns where."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(OSError):
                    answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/jwks"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def content(body: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_the_program_says_good_in_a_line(serve: Callable[..., str]) -> None:
    done = asked(serve(content(key_set(entry()))))
    assert (done.returncode, done.stdout) == (0, "good: 1 usable key, 2048 bits or more\n")


def test_the_program_says_bad_in_a_line(serve: Callable[..., str]) -> None:
    done = asked(serve(content(b"not here", 404)))
    assert (done.returncode, done.stdout) == (1, "bad: answers 404 Not Found; is it the public keyset URL?\n")
    done = asked("http://127.0.0.1:1/jwks")
    assert done.returncode == 1
    assert done.stdout.startswith("bad: cannot be reached: ")
    assert done.stderr == ""


def asked(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hubfleet_hub.jwks", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_an_lms_that_is_silent_or_trickles_is_not_waited_for(serve: Callable[..., str]) -> None:
    waiting = threading.Event()
    with pytest.raises(KeysError, match=r"gives no answer within 0\.3 s; may this host reach it\?"):
        jwks.fetch(serve(lambda handler: waiting.wait(5) and None), within=0.3)

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not waiting.wait(0.05):
            handler.wfile.write(b" ")

    with pytest.raises(KeysError, match=r"gives no answer within 0\.3 s"):
        jwks.fetch(serve(trickle), within=0.3)
    waiting.set()


def test_an_answer_without_end_is_not_read_to_it(serve: Callable[..., str]) -> None:
    with pytest.raises(KeysError, match="more than 256 KiB"):
        jwks.fetch(serve(content(b" " * (jwks.LARGEST + 1))))
