"""What must hold between settings, each rule on its own: a rule's parameters are the keys it looks at.

A rule runs when all its keys hold values of the right type, so that one wrong value hides no other mistake.
It gets `directory`, the inventory's, if it asks for it, and yields what it found.
"""

import inspect
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtensionOID

from hubfleet import teachers
from hubfleet.secrets import SecretError, resolve
from hubfleet.settings.models import AddressPool, Share, Volume
from hubfleet.settings.problems import one_of
from hubfleet.settings.types import PublicUrl
from hubfleet_hub.config import HUB_UID, ORGANIZATION_TRAITS, URL_TRAITS
from hubfleet_hub.names import linux_problem


@dataclass(frozen=True)
class Finding:
    """What a rule says about the value of `key`: "reason; what to do"."""

    key: str
    message: str


Rule = Callable[..., Iterator[Finding]]

RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Add `function` to `RULES`."""
    RULES.append(function)
    return function


def findings(values: Mapping[str, Any], directory: Path) -> Iterator[Finding]:
    """All that the rules find in `values`: validated values by key, those that are wrong in themselves left
    out.
    """
    known = {**values, "directory": directory}
    for each in RULES:
        keys = inspect.signature(each).parameters
        if known.keys() >= keys.keys():
            yield from each(**{key: known[key] for key in keys})


# --- The axes ---------------------------------------------------------------------------------------------

BUILT: dict[str, tuple[str, ...]] = {
    "login": ("native", "pam", "oauth", "lti13"),
    "spawner": ("docker", "local", "shared"),
    "homes": ("directory", "volume"),
    "edge": ("nginx",),
    "tls_mode": ("self_signed", "files"),
    "egress": ("open", "blocked"),
    "engine": ("single",),
}
"""What this version has on each axis."""

FITS: list[tuple[str, str, str, tuple[str, ...], str]] = [
    ("login", "pam", "spawner", ("local",), "the users are Linux users of the hub's own container"),
    ("spawner", "local", "homes", ("directory",), "the users' homes are directories of the host"),
    ("spawner", "shared", "homes", ("directory",), "the notebooks are a directory of the host"),
    ("spawner", "swarm", "engine", ("swarm",), "services need a swarm"),
    ("spawner", "swarm", "homes", ("directory", "shared"), "a volume is on one host of the swarm only"),
    ("spawner", "shared", "server_profile", ("restricted",), "the JupyterLab that all share needs no more"),
    (
        "egress",
        "blocked",
        "spawner",
        ("docker", "shared"),
        "the hub itself runs where the servers do",
    ),
    ("egress", "blocked", "server_profile", ("restricted", "desktop"), "privileged users can undo every rule"),
    ("egress", "allow", "server_profile", ("restricted", "desktop"), "privileged users can undo every rule"),
    ("native_open_signup", "True", "server_profile", ("restricted",), "strangers would get rights over the host"),
]
"""key, choice, other key, what the other must then be, why."""


def _later(key: str) -> Rule:
    def judge(**values: Any) -> Iterator[Finding]:
        chosen = values[key] if isinstance(values[key], list) else [values[key]]
        for choice in chosen:
            if choice not in BUILT[key]:
                has = one_of(list(BUILT[key]))
                yield Finding(key, f"{choice!r} comes with a later version; this version has: {has}")

    return _asking(judge, key)


def _fit(key: str, choice: str, other: str, allowed: tuple[str, ...], why: str) -> Rule:
    def judge(**values: Any) -> Iterator[Finding]:
        chosen = values[key] if isinstance(values[key], list) else [values[key]]
        if choice in map(str, chosen) and values[other] not in allowed:
            needed = one_of([repr(value) for value in allowed])
            yield Finding(other, f"does not fit {key} = {choice}, as {why}; choose {needed}")

    return _asking(judge, key, other)


def _asking(function: Rule, *keys: str) -> Rule:
    parameters = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY) for key in keys]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


RULES += [_later(key) for key in BUILT]
RULES += [_fit(*row) for row in FITS]


@rule
def _homes_of_linux_users(spawner: str, server_home: str) -> Iterator[Finding]:
    if spawner == "local" and server_home != "/home":
        yield Finding("server_home", "is not where Linux users have their homes; choose '/home'")


# --- The hub and its users ----------------------------------------------------------------------------------


@rule
def _address(public_url: PublicUrl, tls_mode: str, edge_http_port: int) -> Iterator[Finding]:
    if public_url.scheme == "http" and tls_mode != "external":
        yield Finding("public_url", "is not https, so passwords would cross the network in clear; write https://")
    elif edge_http_port == public_url.port:
        yield Finding("edge_http_port", "is the port of public_url too; choose another, or 0 for no redirect")


@rule
def _banned(users_admins: list[str], users_allowed: list[str], users_banned: list[str]) -> Iterator[Finding]:
    both = sorted((set(users_admins) | set(users_allowed)) & set(users_banned))
    if both:
        yield Finding("users_banned", f"has {', '.join(both)}, who may enter by another list; choose one")


@rule
def _shares(
    users_shares: list[Share],
    users_admins: list[str],
    users_allowed: list[str],
    users_banned: list[str],
    users_oauth: dict[str, str],
    spawner: str,
) -> Iterator[Finding]:
    if users_shares and spawner != "local":
        yield Finding("users_shares", "is for people who are Linux users; set spawner = 'local', or leave it empty")
    # With no list of the allowed, an admin adds people on a page that is not known here.
    known = {*users_admins, *users_allowed, *users_oauth} if users_allowed else None
    pairs: set[tuple[str, str]] = set()
    for share in users_shares:
        if share.home == share.to:
            yield Finding("users_shares", f"gives {share.to} their own home; name somebody else")
        for name in sorted({share.home, share.to}):
            if name in users_banned or (known is not None and name not in known):
                yield Finding(
                    "users_shares", f"has {name}, who may not log in; add them to users_allowed, or take them out"
                )
        if (share.home, share.to) in pairs:
            yield Finding("users_shares", f"opens the home of {share.home} to {share.to} twice; leave one out")
        pairs.add((share.home, share.to))


@rule
def _linux_names(
    spawner: str, users_admins: list[str], users_allowed: list[str], users_oauth: dict[str, str]
) -> Iterator[Finding]:
    if spawner != "local":
        return
    for key, names in {
        "users_admins": users_admins,
        "users_allowed": users_allowed,
        "users_oauth": users_oauth,
    }.items():
        for name in names:
            if problem := linux_problem(name):
                yield Finding(key, f"has {name!r}, which {problem}; choose another name for this person")


@rule
def _names_elsewhere(login: list[str], oauth_provider: str, users_oauth: dict[str, str]) -> Iterator[Finding]:
    prefix = f"{oauth_provider}-"
    theirs: dict[str, str] = {}
    for name, there in users_oauth.items():
        if len(login) > 1 and name.startswith(prefix):
            yield Finding(
                "users_oauth", f"has {name}, as people of {oauth_provider} are called; leave out the {prefix}"
            )
        if other := theirs.get(there.lower()):
            yield Finding("users_oauth", f"has {there} for {other} and for {name}; a login is one person's")
        theirs[there.lower()] = name


@rule
def _one_form(login: list[str]) -> Iterator[Finding]:
    if {"native", "pam"} <= set(login):
        yield Finding("login", "has native and pam, which both ask for a name and a password; choose one")
    if len(set(login)) < len(login):
        yield Finding("login", "names a login twice; leave one out")


@rule
def _database(hub_db_url: str, directory: Path) -> Iterator[Finding]:
    if hub_db_url == "generate":
        yield Finding("hub_db_url", "cannot be generated; name where the database's URL is, or leave it empty")
    elif hub_db_url:
        try:
            url = resolve(hub_db_url, directory).unmask()
        except SecretError as error:
            yield Finding("hub_db_url", str(error))
            return
        if not url.startswith(("postgresql://", "postgresql+psycopg://")):
            yield Finding("hub_db_url", "names no PostgreSQL database; the URL begins with postgresql://")


@rule
def _lab_code(hub_config_dir: str, directory: Path) -> Iterator[Finding]:
    if not hub_config_dir:
        return
    place = _local(directory, hub_config_dir)
    if not place.is_dir():
        yield Finding("hub_config_dir", f"is no directory: {place}; make it, or correct the path")
        return
    files = sorted(place.glob("*.py"))
    if not files:
        yield Finding("hub_config_dir", f"has no *.py in {place}; add one, or leave the key empty")
    for file in files:
        try:
            compile(file.read_bytes(), file.name, "exec")
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            what = getattr(error, "msg", None) or error
            yield Finding("hub_config_dir", f"{file.name} line {line} is not Python ({what}); mend it")
        except OSError as error:
            yield Finding("hub_config_dir", f"{file.name} cannot be read: {error.strerror}; check its mode")


@rule
def _one_account_each(server_uid: int) -> Iterator[Finding]:
    if server_uid == HUB_UID:
        yield Finding("server_uid", "is the hub's own, so users could read its secrets; choose another")


# --- Our images -----------------------------------------------------------------------------------------------


@rule
def _parts(image_parts: list[str]) -> Iterator[Finding]:
    if len(set(image_parts)) < len(image_parts):
        yield Finding("image_parts", "names a part twice; leave one out")


@rule
def _julia(image_julia_version: str, image_julia_url: str, image_julia_sha256: str) -> Iterator[Finding]:
    julia = {
        "image_julia_version": (image_julia_version, "its version, such as 1.12.1"),
        "image_julia_url": (image_julia_url, "where its archive is"),
        "image_julia_sha256": (image_julia_sha256, "the archive's SHA-256"),
    }
    if any(value for value, _ in julia.values()):
        for key, (value, what) in julia.items():
            if not value:
                yield Finding(key, f"is needed for Julia; write {what}, or leave all three image_julia_* out")


# --- The LMS of a class -------------------------------------------------------------------------------------


@rule
def _launches(
    login: list[str], lti13_issuer: str, lti13_client_ids: list[str], lti13_authorize_url: str, lti13_jwks_url: str
) -> Iterator[Finding]:
    told = {
        "lti13_issuer": (lti13_issuer, "the LMS's issuer (platform id)"),
        "lti13_client_ids": (lti13_client_ids, "the client ids that the LMS gave this hub"),
        "lti13_authorize_url": (lti13_authorize_url, "the LMS's authentication request URL"),
        "lti13_jwks_url": (lti13_jwks_url, "the LMS's public keyset URL"),
    }
    for key, (value, what) in told.items():
        if "lti13" in login and not value:
            yield Finding(key, f"is needed with login 'lti13'; write {what}: its administrator knows it")
        elif "lti13" not in login and value:
            yield Finding(key, "is not used without login 'lti13'; add it to login, or leave the key out")
        elif value and isinstance(value, str) and urlsplit(value).scheme != "https":
            yield Finding(key, "is not https, so a stranger on the way could be anybody here; write the https:// one")
    if not all(lti13_client_ids):
        yield Finding("lti13_client_ids", "has an empty entry; leave it out")


@rule
def _oauth_client(
    login: list[str], oauth_client_id: str, oauth_client_secret: str, directory: Path
) -> Iterator[Finding]:
    told = {"oauth_client_id": oauth_client_id, "oauth_client_secret": oauth_client_secret}
    for key, value in told.items():
        if "oauth" in login and not value:
            yield Finding(key, "is needed with login 'oauth'; the provider shows it where you register the hub there")
        elif "oauth" not in login and value:
            yield Finding(key, "is not used without login 'oauth'; add it to login, or leave the key out")
    if oauth_client_secret == "generate":
        yield Finding("oauth_client_secret", "cannot be generated; name where the secret is that the provider gave")
    elif oauth_client_secret:
        try:
            resolve(oauth_client_secret, directory)
        except SecretError as error:
            yield Finding("oauth_client_secret", str(error))


@rule
def _oauth_provider(
    oauth_provider: str, oauth_url: str, oauth_allowed_organizations: list[str], oauth_traits: dict[str, Any]
) -> Iterator[Finding]:
    if oauth_url and oauth_provider not in URL_TRAITS:
        has = one_of(list(URL_TRAITS))
        yield Finding("oauth_url", f"is for {has}; {oauth_provider} is told its addresses in oauth_traits")
    elif oauth_url and urlsplit(oauth_url).scheme != "https":
        yield Finding("oauth_url", "is not https, so a stranger on the way could be anybody; write the https:// one")
    if oauth_allowed_organizations and oauth_provider not in ORGANIZATION_TRAITS:
        has = one_of(list(ORGANIZATION_TRAITS))
        yield Finding("oauth_allowed_organizations", f"is for {has}; {oauth_provider} has others in oauth_traits")
    if oauth_traits.get("allow_all"):
        yield Finding("oauth_traits", "lets in everybody who has an account at the provider; name whom you mean")


PLACEHOLDERS = {"admin", "administrator", "jupyterhub", "root"}
"""Names that somebody has at every provider, and nobody of the lab."""


@rule
def _oauth_people(
    login: list[str],
    spawner: str,
    users_admins: list[str],
    users_allowed: list[str],
    users_oauth: dict[str, str],
    oauth_allowed_organizations: list[str],
    oauth_traits: dict[str, Any],
) -> Iterator[Finding]:
    if login != ["oauth"]:
        return
    for name in sorted(PLACEHOLDERS & set(users_admins) - users_oauth.keys()):
        yield Finding("users_admins", f"has {name}, whoever that is at the provider; write your own login there")
    others = users_allowed or oauth_allowed_organizations or any(name.startswith("allow") for name in oauth_traits)
    if spawner == "shared" and len(users_admins) == 1 and not others:
        yield Finding("users_allowed", f"is empty, so {users_admins[0]} alone would share; write the others' logins")


@rule
def _claim(login: list[str], lti13_username_claim: str) -> Iterator[Finding]:
    if "lti13" in login and not lti13_username_claim:
        yield Finding("lti13_username_claim", "names no claim; write one such as 'email' or 'sub'")
    if lti13_username_claim in _SHARED_CLAIMS:
        yield Finding(
            "lti13_username_claim",
            "can be several people's, who would share a home, and people may change it; use 'sub', 'email' or a custom "
            "field ('custom_NAME')",
        )


_SHARED_CLAIMS = ("name", "given_name", "family_name", "middle_name", "nickname", "locale", "picture")
"""OpenID Connect Core 1.0, section 5.7: only `sub` (with the issuer) is promised to be one person's."""


@rule
def _frames(hub_frame_ancestors: list[str], public_url: PublicUrl) -> Iterator[Finding]:
    if hub_frame_ancestors and public_url.scheme != "https":
        yield Finding("hub_frame_ancestors", "needs a public_url with https: in a frame, browsers keep no other cookie")
    for origin in hub_frame_ancestors:
        if urlsplit(origin).scheme != "https":
            yield Finding("hub_frame_ancestors", f"has {origin}, whose pages anyone on the way can change; use https")


# --- Users' servers and files -------------------------------------------------------------------------------


@rule
def _shared_image(spawner: str, server_image: str) -> Iterator[Finding]:
    if spawner == "shared" and server_image != "singleuser":
        yield Finding("server_image", "does not fit spawner = shared, whose JupyterLab is Hubfleet's own; leave it out")


@rule
def _shared_memory(server_shm_size: int, server_mem_limit: int) -> Iterator[Finding]:
    if server_shm_size > server_mem_limit:
        yield Finding("server_shm_size", "is more than server_mem_limit, which it counts to; make it smaller")


@rule
def _culling(cull_timeout: int, cull_every: int) -> Iterator[Finding]:
    if 0 < cull_timeout < cull_every:
        yield Finding("cull_every", "is longer than cull_timeout, so servers would idle longer; look more often")


SYSTEM_DIRECTORIES = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/cache",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/hubfleet",
    "/var/log",
    "/var/run",
    "/var/tmp",
)
"""Nothing in these is a place for users' files: the system owns them, empties them or hides them."""

SHARED_DIRECTORIES = ("/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/lib")
"""Directories of the system that may hold users' directories' directory, and must not be it."""


@rule
def _users_files(base_user_dir: str, base_user_dir_mode: str) -> Iterator[Finding]:
    inside = [system for system in SYSTEM_DIRECTORIES if Path(base_user_dir).is_relative_to(system)]
    if inside:
        yield Finding(
            "base_user_dir", f"is inside {inside[0]}, the system's own; choose one such as /srv/hubfleet/users"
        )
    if base_user_dir in SHARED_DIRECTORIES:
        yield Finding("base_user_dir", f"is not the hub's alone; choose a directory in it, such as {base_user_dir}/hub")
    if int(base_user_dir_mode, 8) & 0o002:
        yield Finding("base_user_dir_mode", "lets anyone on the host write there; use '0711' or '0755'")


VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
"""What Docker calls a volume."""

PRIVATE_DIRECTORIES = ("/boot", "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/var/lib", "/var/run")
"""Nothing in these, and nothing that holds them, is shown to users' servers: secrets of host and hub are there."""


@rule
def _volumes(server_volumes: list[Volume], server_home: str) -> Iterator[Finding]:
    taken = {server_home: "server_home"}
    for volume in server_volumes:
        source, target = volume.source, volume.target
        if not source.startswith("/"):
            if not VOLUME.fullmatch(source):
                yield Finding(
                    "server_volumes", f"has {source!r}, neither an absolute path nor a volume's name; correct it"
                )
        elif ".." in Path(source).parts:
            yield Finding("server_volumes", f"has {source}, which climbs with '..'; write the directory itself")
        else:
            for private in PRIVATE_DIRECTORIES:
                if Path(source).is_relative_to(private) or Path(private).is_relative_to(source):
                    yield Finding("server_volumes", f"shows users {source}, the system's own; name another directory")
                    break
        if target in taken:
            yield Finding("server_volumes", f"puts {source} at {target}, where {taken[target]} is; choose another")
        taken[target] = source


@rule
def _own_image(server_build: str, server_image: str, spawner: str, directory: Path) -> Iterator[Finding]:
    if not server_build:
        return
    if spawner != "docker":
        yield Finding(
            "server_build", f"is not used by spawner {spawner!r}, whose servers are no containers; leave it out"
        )
    elif server_image != "singleuser":
        yield Finding("server_image", "is another image than the one of server_build; leave one of the two out")
    for problem in teachers.problems(_local(directory, server_build)):
        yield Finding("server_build", problem)


# --- The certificate ----------------------------------------------------------------------------------------


@rule
def _certificate(
    tls_mode: str, tls_cert: str, tls_key: str, public_url: PublicUrl, directory: Path
) -> Iterator[Finding]:
    if tls_mode != "files":
        for key, value in (("tls_cert", tls_cert), ("tls_key", tls_key)):
            if value:
                yield Finding(key, f"is not used with tls_mode {tls_mode!r}; set tls_mode = 'files', or leave it out")
        return
    chain: list[x509.Certificate] = []
    if not tls_cert:
        yield Finding("tls_cert", "is needed with tls_mode 'files'; name the PEM file of certificate and chain")
    else:
        try:
            chain = x509.load_pem_x509_certificates(_local(directory, tls_cert).read_bytes())
        except OSError as error:
            yield Finding("tls_cert", _unreadable(directory, tls_cert, error))
        except ValueError:
            yield Finding("tls_cert", "holds no certificate in PEM form; name the file of certificate and chain")
        else:
            yield from _fitting(chain[0], public_url)
    if tls_key in ("", "generate"):
        yield Finding(
            "tls_key", "is needed with tls_mode 'files'; name where the certificate's key is: file:, env:, age:"
        )
        return
    try:
        pem = resolve(tls_key, directory).unmask()
        private = load_pem_private_key(pem.encode(), None)
    except SecretError as error:
        yield Finding("tls_key", str(error))
    except TypeError:
        yield Finding("tls_key", "is locked with a passphrase; store it without one, encrypted by age if need be")
    except ValueError:
        yield Finding("tls_key", "is no private key in PEM form; name the file that the certificate was made with")
    else:
        if chain and _spki(private) != _spki(chain[0]):
            yield Finding("tls_key", "does not belong to the certificate in tls_cert; name the key it was made with")


def _spki(owner: Any) -> bytes:
    spki: bytes = owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki


def _fitting(certificate: x509.Certificate, public_url: PublicUrl) -> Iterator[Finding]:
    ends = certificate.not_valid_after_utc
    if ends < datetime.now(UTC):
        yield Finding("tls_cert", f"ran out on {ends:%Y-%m-%d}; get a new certificate")
    names = _names(certificate)
    wildcard = "*." + public_url.host.partition(".")[2]
    if public_url.host not in names and (public_url.is_address or wildcard not in names):
        listed = ", ".join(sorted(names)) or "nobody"
        yield Finding("tls_cert", f"is for {listed} and not for {public_url.host}; get one that names it")


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        # Browsers look at nothing else: a common name alone is as good as no name.
        return set()
    assert isinstance(names, x509.SubjectAlternativeName)
    dns = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    return dns | {str(address) for address in names.get_values_for_type(x509.IPAddress)}


# --- The engine, its networks, the way out ------------------------------------------------------------------

OWN_DAEMON_KEYS = {
    "log-driver": "docker_log_max_size and docker_log_max_files",
    "log-opts": "docker_log_max_size and docker_log_max_files",
    "live-restore": "docker_live_restore",
    "default-address-pools": "docker_address_pools",
    "registry-mirrors": "docker_mirror",
    "insecure-registries": "docker_insecure_registries",
    "proxies": "outbound_proxy and outbound_no_proxy",
}
"""Keys of daemon.json that have a setting of their own."""


@rule
def _daemon(docker_daemon: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(docker_daemon.keys() & OWN_DAEMON_KEYS.keys()):
        yield Finding("docker_daemon", f"sets {key!r}, which Hubfleet sets; use {OWN_DAEMON_KEYS[key]}")
    if "hosts" in docker_daemon:
        yield Finding("docker_daemon", "sets 'hosts', with which Debian's engine does not start; leave it out")


@rule
def _docker_repository(
    docker_source: str, docker_apt_url: str, docker_apt_key: str, directory: Path
) -> Iterator[Finding]:
    if docker_source != "docker":
        return
    if not docker_apt_url:
        yield Finding("docker_apt_url", "is needed with docker_source 'docker'; name Docker's apt repository")
    if not docker_apt_key:
        yield Finding("docker_apt_key", "is needed with docker_source 'docker'; name the file of its signing key")
        return
    try:
        head = _local(directory, docker_apt_key).read_bytes()[:4096]
    except OSError as error:
        yield Finding("docker_apt_key", _unreadable(directory, docker_apt_key, error))
        return
    if b"-----BEGIN PGP PUBLIC KEY BLOCK-----" not in head:
        yield Finding("docker_apt_key", "is no armoured PGP public key; export one with gpg --armor --export")


@rule
def _authorities(extra_ca: str, directory: Path) -> Iterator[Finding]:
    if not extra_ca:
        return
    path = _local(directory, extra_ca)
    try:
        path.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        yield Finding("extra_ca", "holds no certificate in PEM form; name a file of the authorities' certificates")
    except OSError as error:
        yield Finding("extra_ca", _unreadable(directory, extra_ca, error))


@rule
def _own_networks(network_users_subnet: str, network_core_subnet: str) -> Iterator[Finding]:
    if ip_network(network_users_subnet).overlaps(ip_network(network_core_subnet)):
        yield Finding("network_core_subnet", "overlaps network_users_subnet; give two separate networks")


@rule
def _pools(
    docker_address_pools: list[AddressPool], network_users_subnet: str, network_core_subnet: str
) -> Iterator[Finding]:
    own = {"network_users_subnet": network_users_subnet, "network_core_subnet": network_core_subnet}
    for number, pool in enumerate(docker_address_pools):
        network = ip_network(pool.base)
        if not network.prefixlen <= pool.size <= network.max_prefixlen - 2:
            sizes = f"{network.prefixlen} to {network.max_prefixlen - 2}"
            message = f"cannot cut networks of /{pool.size} from {pool.base}; give a size from {sizes}"
            yield Finding("docker_address_pools", message)
        taken = own | {f"pool {other.base}": other.base for other in docker_address_pools[:number]}
        for name, value in taken.items():
            other_network = ip_network(value)
            if network.version == other_network.version and network.overlaps(other_network):
                message = f"has {pool.base}, which overlaps {name}; keep them apart"
                yield Finding("docker_address_pools", message)


@rule
def _waivers(preflight_waive: list[str]) -> Iterator[Finding]:
    from hubfleet.preflight import FINDINGS  # it needs `Lab`, which is judged by these rules

    for name in preflight_waive:
        if name not in FINDINGS:
            yield Finding(
                "preflight_waive", f"has {name!r}, no finding of preflight; choose from {', '.join(FINDINGS)}"
            )


def _local(directory: Path, name: str) -> Path:
    return directory / Path(name).expanduser()


def _unreadable(directory: Path, name: str, error: OSError) -> str:
    return f"cannot be read from {_local(directory, name)}: {error.strerror}; check the path and its mode"
