"""`hubfleet verify`: prove a hub from outside, as a user would: through its public address, with a throw-away user.

That user's name is one of `VERIFY_USERS`, the only ones that the token of `verify` is good for. It goes again, with
its server and its files, whatever happens; what an earlier verify left behind goes first. Where all share one
JupyterLab no user is made: the token is good for that JupyterLab, in which one kernel starts and ends.
"""

import contextlib
import hashlib
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from uuid import uuid4

import click
import gevent
import websocket
from pyinfra.api.command import QuoteString
from pyinfra.api.host import Host
from pyinfra.context import ctx_host

from hubfleet.run import HostFailed, command
from hubfleet.settings import Lab
from hubfleet.verbs.common import Target, connected
from hubfleet.verbs.text import table
from hubfleet.verbs.web import TIMEOUT, Reply, Site
from hubfleet_hub.config import VERIFY_USERS
from hubfleet_hub.names import escape

Result = Literal["proved", "failed", "not proved"]

ANOTHER_AT_WORK = 180
"""Seconds for which a throw-away user that is there already is taken for another verify's, and left alone."""

FEW_DAYS = 14
"""Days under which a certificate's end is worth a word."""


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    what: str
    result: Result
    told: str
    """What was seen; for a failure why, and what to do."""


class _Failed(Exception):
    """What was to be proved is not so; says why and what to do."""


def verify(target: Target, resolve: Mapping[str, str], dry: bool) -> int:
    """Print a table for each host; 0 when everything was proved or left out on purpose, else 1."""
    status = 0
    with connected(target) as (run, labs):
        if any(report.failure for report in run.reports.values()):
            status = 1
        found: dict[str, list[Finding]] = {}

        def prove_host(host: Host) -> None:
            proof = Proof(labs[host.name], host, resolve, dry, lambda text: click.echo(f"{host.name}: {text}"))
            found[host.name] = proof.findings
            proof.run()

        try:
            run.on_each(prove_host)
        finally:
            for name, findings in found.items():
                click.echo(f"\n{name}  {labs[name].hub.public_url}")
                rows = [(finding.what, finding.result, finding.told) for finding in findings]
                click.echo(table(("WHAT", "RESULT", "SEEN"), rows))
        for name, report in run.reports.items():
            if report.reached and report.failure:
                click.echo(f"\n{name}: verify came to no end: {report.failure}")
    failed = any(finding.result == "failed" for findings in found.values() for finding in findings)
    return 1 if status or failed or any(report.failure for report in run.reports.values()) else 0


def prove_here(lab: Lab) -> None:
    """The same for pyinfra's current host, as an operation's function. Raises HostFailed when something failed."""
    host: Host = ctx_host.get()
    proof = Proof(lab, host, {}, False, lambda text: None)
    proof.run()
    for finding in proof.findings:
        host.log(f"{finding.what}: {finding.result}: {finding.told}")
    if any(finding.result == "failed" for finding in proof.findings):
        raise HostFailed("the hub is not as it should be: see above")


class Proof:
    """One hub's proof. `findings` grows as it goes on."""

    def __init__(self, lab: Lab, host: Host, resolve: Mapping[str, str], dry: bool, say: Callable[[str], None]) -> None:
        self.lab = lab
        self.host = host
        self.dry = dry
        self.say = say
        self.findings: list[Finding] = []
        self.url = str(lab.hub.public_url)
        self.api = f"{self.url}hub/api"
        self.site = Site(self.url, resolve)
        self.token = ""
        self.user = ""

    def run(self) -> None:
        """Go as far as it goes; a proof that others rest on and that fails leaves those out."""
        if not (self._prove("address", self._address) and self._prove("certificate", self._certificate)):
            return
        self._prove("redirect", self._redirect)
        if not (self._prove("hub", self._hub) and self._prove("login page", self._login_page)):
            return
        if "lti13" in self.lab.hub.login:
            self._prove("LTI login", self._lti_login)
            self._prove("LTI tool", self._lti_tool)
            self._prove("LMS's keys", self._lms_keys)
        if self.dry:
            self._not_proved("a user's server", "left out by --dry: nothing was made on the hub")
            return
        if not self._prove("token", self._read_token):
            return
        if self.lab.hub.spawner == "shared":
            if self._prove("shared JupyterLab", self._room):
                self._prove("kernel", self._compute)
            return
        if not self._prove("throw-away user", self._make_user):
            return
        try:
            if self._prove("server", self._start) and self._prove("kernel", self._compute):
                self._prove("stop", self._stop)
        finally:
            self._prove("clean up", self._remove_user)

    def _prove(self, what: str, work: Callable[[], str]) -> bool:
        self.say(what)
        try:
            told = work()
        except _Failed as error:
            self._failed(what, str(error))
        except TimeoutError:
            self._failed(what, f"no answer within {TIMEOUT} s")
        except (OSError, ValueError, KeyError, TypeError, websocket.WebSocketException) as error:
            self._failed(what, f"{type(error).__name__}: {error}")
        except BaseException:
            self._failed(what, "interrupted")
            raise
        else:
            self.findings.append(Finding(what, "proved", told))
            return True
        return False

    def _failed(self, what: str, why: str) -> None:
        self.say(f"{what}: failed: {why}")
        self.findings.append(Finding(what, "failed", why))

    def _not_proved(self, what: str, why: str) -> None:
        self.findings.append(Finding(what, "not proved", why))

    def _address(self) -> str:
        url = self.lab.hub.public_url
        given = self.site.addresses.get(url.host)
        if given:
            self._not_proved("name", f"that {url.host} leads to this hub: {given} was given by --resolve")
        try:
            self.site.reach(self.url).close()
        except OSError as error:
            where = f"{given or url.host} port {url.port}"
            raise _Failed(
                f"{where}: {error}; does the name lead to the host, is the port open in the campus firewall? "
                "--resolve NAME:ADDRESS tries an address without DNS"
            ) from None
        return f"{given or url.host} port {url.port} accepts connections"

    def _certificate(self) -> str:
        if self.lab.hub.public_url.scheme == "http":
            return "none: TLS is the business of a proxy before the hub"
        context = ssl.create_default_context()
        if self.lab.outside.extra_ca:
            context.load_verify_locations(cadata=self.lab.read(self.lab.outside.extra_ca))
        deployed = "" if self.lab.tls.mode == "external" else self._deployed_certificate()
        untrusted = ""
        try:
            days, digest = self._handshake(context)
        except ssl.SSLCertVerificationError as error:
            untrusted = error.verify_message
            if not deployed:
                raise _Failed(f"{untrusted}; users' browsers will refuse it too") from None
            # From here on the deployed certificate, and no other, is what is trusted.
            context = ssl.create_default_context(cadata=deployed)
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            try:
                days, digest = self._handshake(context)
            except ssl.SSLCertVerificationError as pinned:
                raise _Failed(
                    f"{pinned.verify_message}; what answers is not this hub's edge, or serves an old certificate"
                ) from None
        if deployed and digest != _digest(deployed):
            raise _Failed("what answers serves another certificate than the one on the host: another machine?")
        self.site = Site(self.url, self.site.addresses, context)
        if days < 0:
            raise _Failed("it has run out; give a new one, or remove the self-signed one's file and apply again")
        if days < FEW_DAYS:
            self._not_proved("certificate's future", f"it ends in {days} days: renew it")
        if untrusted and self.lab.tls.mode != "self_signed":
            raise _Failed(f"{untrusted}; is the chain complete in tls_cert? An authority of your own: extra_ca")
        trust = "self-signed, the very one on the host" if untrusted else "trusted"
        return f"{trust}, names {self.lab.hub.public_url.host}, {days} days left"

    def _deployed_certificate(self) -> str:
        """The first certificate in the file that the edge serves: no secret, but not everybody's to read."""
        answer = command(self.host, "cat", QuoteString(f"{self.lab.paths.edge}/tls.crt"))
        if not answer.ok:
            raise _Failed(f"the host has no certificate: {answer.err or answer.out}; run hubfleet apply")
        end = "-----END CERTIFICATE-----"
        return answer.out.split(end)[0] + end + "\n"

    def _handshake(self, context: ssl.SSLContext) -> tuple[int, bytes]:
        """Days left and the certificate's digest. Raises ssl.SSLCertVerificationError."""
        with contextlib.closing(Site(self.url, self.site.addresses, context).dial(self.url)) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            certificate = connection.getpeercert() or {}
            binary = connection.getpeercert(binary_form=True) or b""
        ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return int((ends - time.time()) // 86400), hashlib.sha256(binary).digest()

    def _redirect(self) -> str:
        port = self.lab.edge.http_port
        url = self.lab.hub.public_url
        if not port or url.scheme == "http":
            return "none wanted"
        host = f"[{url.host}]" if ":" in url.host else url.host
        asked = f"http://{host}{'' if port == 80 else f':{port}'}{url.base_path}"
        reply = self.site.fetch("GET", asked)
        leads = reply.headers.get("location", "")
        if reply.status not in (301, 308) or not leads.startswith(url.origin):
            raise _Failed(f"{asked} answers {reply.status} {leads}, not a redirect to {url.origin}; run hubfleet apply")
        return f"{asked} leads to {leads}"

    def _hub(self) -> str:
        reply = self.site.fetch("GET", f"{self.api}/")
        if reply.status != 200:
            raise _Failed(
                f"{self.api}/ answers {reply.status}: the edge is there and the hub behind it is not; "
                "see hubfleet status and hubfleet logs"
            )
        return f"JupyterHub {reply.json()['version']} answers"

    def _login_page(self) -> str:
        url = f"{self.url}hub/login"
        for _ in range(5):
            reply = self.site.fetch("GET", url)
            if reply.status in (301, 302, 303, 307, 308):
                url = urljoin(url, reply.headers["location"])
                continue
            if reply.status == 200 and ("<form" in reply.text or "login" in reply.text.lower()):
                return url
            break
        raise _Failed(f"{url} answers {reply.status} and is no login page; see hubfleet logs")

    def _lti_login(self) -> str:
        """As an LMS begins a login: the hub leads back to it with what it will be known by."""
        lti, back = self.lab.lti13, f"{self.url}hub/lti13/oauth_callback"
        for client in lti.client_ids:
            said = {
                "iss": lti.issuer,
                "login_hint": "hubfleet-verify",
                "target_link_uri": self.url,
                "client_id": client,
            }
            reply = self.site.fetch("GET", f"{self.url}hub/lti13/oauth_login?{urlencode(said)}")
            leads = reply.headers.get("location", "")
            if reply.status != 302 or leads.partition("?")[0] != lti.authorize_url.partition("?")[0]:
                raise _Failed(
                    f"for {client} it answers {reply.status} {leads}, and leads not to {lti.authorize_url}; "
                    "see hubfleet logs"
                )
            asked = dict(parse_qsl(urlsplit(leads).query))
            wanted = {"client_id": client, "redirect_uri": back, "response_mode": "form_post", "scope": "openid"}
            wrong = [key for key, value in wanted.items() if asked.get(key) != value]
            wrong += [key for key in ("nonce", "state") if not asked.get(key)]
            if wrong:
                raise _Failed(f"for {client} it asks the LMS with a wrong {', '.join(wrong)}; see hubfleet logs")
        return f"leads to {lti.authorize_url} and back to {back}"

    def _lti_tool(self) -> str:
        url = f"{self.url}hub/lti13/config"
        reply = self.site.fetch("GET", url)
        begins = reply.json().get("oidc_initiation_url") if reply.status == 200 else ""
        if begins != f"{self.url}hub/lti13/oauth_login":
            raise _Failed(f"{url} answers {reply.status} and names {begins or 'no'} login; see hubfleet logs")
        return f"{url} tells an LMS how to come in"

    def _lms_keys(self) -> str:
        """Asked by the hub itself: what it cannot reach, nobody else can reach for it."""
        lti = self.lab.lti13
        ask = ["docker", "exec", self.lab.names.hub, "python", "-m", "hubfleet_hub.jwks", QuoteString(lti.jwks_url)]
        answer = command(self.host, *ask)
        verdict, _, told = (answer.out or answer.err).strip().partition(": ")
        if verdict != "good":
            raise _Failed(f"{lti.jwks_url}: {told or verdict or 'the hub does not say'}")
        return f"{lti.jwks_url}: {told}"

    def _read_token(self) -> str:
        path = f"{self.lab.paths.secrets}/verify_token"
        answer = command(self.host, "cat", QuoteString(path))
        self.token = answer.out.strip()
        if not answer.ok or not self.token:
            raise _Failed(f"{path} cannot be read on the host; run hubfleet apply")
        return "read from the host, good for this proof alone"

    def _ask(self, method: str, path: str, body: object = None) -> Reply:
        return self.site.fetch(method, f"{self.api}{path}", self.token, body)

    def _make_user(self) -> str:
        for name in VERIFY_USERS:
            reply = self._ask("GET", f"/users/{name}")
            if reply.status == 200 and _age(reply) < ANOTHER_AT_WORK:
                self._not_proved(
                    "clean hub",
                    f"{name} was made {_age(reply):.0f} s ago: another verify is at work, or was killed; "
                    f"the next one after {ANOTHER_AT_WORK} s removes it",
                )
                continue
            if reply.status == 200:
                self.say(f"removing {name}, left behind by an earlier verify")
                self.user = name
                self._remove_user()
                self.user = ""
            elif reply.status not in (403, 404):
                raise _Failed(f"the hub answers {reply.status} {reply.reason}; see hubfleet logs")
            if self.user:
                continue
            if self._ask("POST", f"/users/{name}").status != 201:
                continue
            self.user = name
            break
        if not self.user:
            raise _Failed("no throw-away user could be made; see hubfleet logs, and run this again in some minutes")
        return self.user

    def _start(self) -> str:
        began = time.monotonic()
        patience = self.lab.server.start_timeout + self.lab.server.http_timeout + TIMEOUT
        reply = self._ask("POST", f"/users/{self.user}/server")
        # 500: it failed at once, and the events tell why.
        if reply.status not in (201, 202, 500):
            raise _Failed(f"the hub refuses a server: {reply.status} {reply.reason}")
        with gevent.Timeout(patience, _Failed(f"not there after {patience} s; see hubfleet logs")):
            for event in self.site.events(f"{self.api}/users/{self.user}/server/progress", self.token):
                self.say(f"server: {event.get('progress', 0)}% {event.get('message', '')}")
                if event.get("failed"):
                    raise _Failed(f"{event.get('message')}; see hubfleet logs")
                if event.get("ready"):
                    return f"ready after {time.monotonic() - began:.0f} s"
        raise _Failed("the hub stopped telling before the server was ready; see hubfleet logs")

    def _room(self) -> str:
        page = f"{self.url}services/{self.lab.shared.name}/lab"
        stranger = self.site.fetch("GET", page)
        if stranger.status != 302 or "/hub/api/oauth2/authorize" not in stranger.headers.get("location", ""):
            raise _Failed(f"{page} sends nobody to log in but answers {stranger.status}; see hubfleet logs")
        reply = self.site.fetch("GET", page, self.token)
        if reply.status != 200 or "jupyter-config-data" not in reply.text:
            raise _Failed(f"{page} answers {reply.status} {reply.reason} and no JupyterLab; see hubfleet logs")
        return f"{page} shows JupyterLab, and to nobody who has not logged in"

    def _compute(self) -> str:
        """On the throw-away user's server, or in the JupyterLab that all share; the kernel ends with the proof."""
        path = f"/user/{self.user}/api/kernels" if self.user else f"/services/{self.lab.shared.name}/api/kernels"
        kernels = f"{self.url.rstrip('/')}{path}"
        reply = self.site.fetch("POST", kernels, self.token, {})
        if reply.status != 201:
            raise _Failed(f"the server starts no kernel: {reply.status} {reply.reason}")
        kernel = reply.json()["id"]
        try:
            answer = self._answer(f"{path}/{kernel}/channels")
        finally:
            self.site.fetch("DELETE", f"{kernels}/{kernel}", self.token)
        if answer != "42":
            raise _Failed(f"the kernel says 6*7 is {answer}")
        return "6*7 is 42, through the WebSocket"

    def _answer(self, channels: str) -> str:
        try:
            channel = self.site.websocket(channels, self.token)
        except websocket.WebSocketBadStatusException as error:
            raise _Failed(f"the WebSocket is refused with {error.status_code}: is a proxy in between?") from None
        with contextlib.closing(channel), gevent.Timeout(60, _Failed("the kernel gives no answer within 60 s")):
            return _execute(channel, "6*7")

    def _stop(self) -> str:
        reply = self._ask("DELETE", f"/users/{self.user}/server")
        if reply.status not in (202, 204):
            raise _Failed(f"the hub does not stop it: {reply.status} {reply.reason}")
        for _ in range(60):
            user = self._ask("GET", f"/users/{self.user}").json()
            if not user.get("server") and not user.get("pending"):
                return "stopped"
            gevent.sleep(1)
        raise _Failed("still there after 60 s; see hubfleet logs")

    def _remove_user(self) -> str:
        """The user with its server, then its files: ours by their name, in the one place where homes are."""
        for _ in range(30):
            reply = self._ask("DELETE", f"/users/{self.user}")
            if reply.status in (204, 404):
                break
            # The server is starting or stopping: the hub deletes nobody meanwhile.
            self._ask("DELETE", f"/users/{self.user}/server")
            gevent.sleep(2)
        else:
            raise _Failed(f"{self.user} stays: {reply.status} {reply.reason}; remove it on the hub's admin page")
        answer = command(self.host, *removal(self.lab, self.user))
        if not answer.ok:
            raise _Failed(f"the files of {self.user} could not be removed: {answer.err or answer.out}")
        return f"{self.user}, its server and its files are gone"


def removal(lab: Lab, user: str) -> list[object]:
    """The command that removes a throw-away user's home, and with it a Linux account. ValueError for any other user."""
    if user not in VERIFY_USERS:
        raise ValueError(f"{user} is no throw-away user")
    if lab.hub.spawner == "local":
        remove = "python -m hubfleet_hub.linux remove-verify"
        return ["docker exec", QuoteString(lab.names.hub), remove, QuoteString(user)]
    if lab.hub.homes == "volume":
        volume = QuoteString(f"{lab.names.prefix}-home-{escape(user)}")
        return ["if docker volume inspect", volume, ">/dev/null 2>&1; then docker volume rm", volume, "; fi"]
    return ["rm -rf --one-file-system --", QuoteString(f"{lab.storage.base_user_dir}/{escape(user)}")]


def _age(reply: Reply) -> float:
    """Seconds since a user was made, by the hub's clock."""
    made = datetime.fromisoformat(str(reply.json()["created"]).replace("Z", "+00:00"))
    return (parsedate_to_datetime(reply.headers["date"]).astimezone(UTC) - made.astimezone(UTC)).total_seconds()


def _digest(pem: str) -> bytes:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()


def _execute(channel: websocket.WebSocket, code: str) -> str:
    """Run code on a kernel and return the text of its value."""
    identity = uuid4().hex
    kind = {"msg_type": "execute_request", "version": "5.3"}
    message = {
        "header": {"msg_id": identity, "session": uuid4().hex, "username": "", **kind},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
    }
    channel.send(json.dumps(message))
    for answer in _messages(channel):
        if answer["parent_header"].get("msg_id") != identity:
            continue
        if answer["header"]["msg_type"] == "execute_result":
            return str(answer["content"]["data"]["text/plain"])
        if answer["header"]["msg_type"] == "error":
            return f"{answer['content']['ename']}: {answer['content']['evalue']}"
    raise _Failed("the WebSocket closed before the kernel answered")


def _messages(channel: websocket.WebSocket) -> Iterator[dict[str, Any]]:
    while text := channel.recv():
        yield json.loads(text)
