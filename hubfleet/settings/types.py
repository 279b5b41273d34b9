"""The kinds of value a setting can have that plain Python types cannot say: sizes, URLs, names, secret
references.

A validator's message is "what is wrong; what to write instead": `hubfleet.settings.problems` takes it apart
at the semicolon.
"""

import ipaddress
import json
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)


def size(value: object) -> int:
    """Bytes in '512M', '1.5G' or a number of bytes. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        number = int(float(match[1]) * _UNITS[match[2].upper()])
    else:
        raise ValueError("is not a size; write a number of bytes or a text such as '512M' or '8G'")
    if number <= 0:
        raise ValueError("must be more than nothing; write a size such as '512M' or '8G'")
    return number


def _memory(value: int) -> int:
    if value < size("256M"):
        raise ValueError("is less than Jupyter starts in; give at least '256M'")
    return value


def _absolute(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute():
        raise ValueError("is not an absolute path; write one on the host, such as /srv/hubfleet/users")
    if ".." in path.parts or ":" in value or not value.isprintable():
        raise ValueError("holds '..', ':' or an unprintable character; write a plain absolute path")
    if len(path.parts) == 1:
        raise ValueError("is the root of the file system; write a directory of its own")
    return "/" + str(path).lstrip("/")


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or len(value) > 24:
        raise ValueError(
            "cannot be part of a container's name; write 1 to 24 lower-case letters, digits and single "
            "hyphens, beginning with a letter"
        )
    return value


def _user_name(value: str) -> str:
    if not value or value != value.lower() or len(value) > 128:
        raise ValueError("is no user name; write 1 to 128 characters in lower case, as JupyterHub keeps names")
    if any(character in "/," or character.isspace() or not character.isprintable() for character in value):
        raise ValueError("holds a space, ',' or '/'; write the name as it is typed at login")
    return value


def _account(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}|\d{1,10}", value):
        raise ValueError("is no user or group of a Linux host; write a name such as root, or a number")
    return value


def _mode(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError("is not a file mode; write it in octal as text, such as '0711'")
    return value.zfill(4)


def http_url(value: str) -> str:
    """`value`, if it is an http or https URL that holds no password. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable() or " " in value:
        raise ValueError("is not a whole URL; write one such as https://mirror.example.org/path")
    if parts.username or parts.password:
        raise ValueError("holds a name or password, which would end up in files and logs; use an address without")
    _port(value)
    return value


def _port(url: str) -> int | None:
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("has no valid port; write a number from 1 to 65535 after the colon")
    return port


def _url_or_empty(value: str) -> str:
    return http_url(value) if value else value


def _origin(value: str) -> str:
    url = urlsplit(http_url(value))
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError("is more than an origin; write scheme, host and port, such as https://lms.example.org")
    return value.rstrip("/")


def _registry(value: str) -> str:
    host, _, port = value.partition(":")
    if not all(_HOST_LABEL.fullmatch(label) for label in host.split(".")) or (port and not port.isdigit()):
        raise ValueError("is not a registry; write host:port, such as registry.example.org:5000, without http://")
    return value


def _no_proxy(value: str) -> str:
    if not value or re.search(r"[\s,]", value):
        raise ValueError("is not one name or network; write each as an entry of the list, such as '.example.org'")
    return value


def _image(value: str) -> str:
    if not _IMAGE.fullmatch(value):
        raise ValueError("is not the name of an image; write one such as vnmd/neurodesktop:2026-08-14")
    return value


def pinned_image(value: str) -> str:
    """`value`, if it names an image with a tag other than latest, or a digest. Raises ValueError."""
    match = _IMAGE.fullmatch(_image(value))
    assert match is not None
    if match["digest"]:
        return value
    if match["tag"] is None:
        raise ValueError("has no tag; name a tag or a digest, such as vnmd/neurodesktop:2026-08-14")
    if match["tag"] == ":latest":
        raise ValueError("means something else each day with `latest`; name a dated tag or a digest")
    return value


def _server_image(value: str) -> str:
    return value if value == "singleuser" else pinned_image(value)


def _checksum(value: str) -> str:
    if value and not re.fullmatch(r"[0-9a-f]{64}", value.lower()):
        raise ValueError("is no SHA-256; write its 64 hexadecimal digits, as sha256sum prints them")
    return value.lower()


def _package(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", value):
        raise ValueError("is not the name of a Debian package; write one such as r-cran-lme4")
    return value


def _url_path(value: str) -> str:
    if not re.fullmatch(r"/[^\s?#]*", value):
        raise ValueError("is not the path of a page; write one such as /lab or /tree")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("is not the name of an environment variable; use letters, digits and _")
    if value.startswith(("JUPYTERHUB_", "JPY_")):
        raise ValueError("is set by JupyterHub itself; leave it out")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a line break or another unprintable character; write one line of text")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("is not a network; write one with its prefix, such as 10.210.0.0/16") from None
    return value


def _subnet(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        raise ValueError("is not an IPv4 network; write one with its prefix, such as 10.217.0.0/20") from None
    if network.prefixlen > 28:
        raise ValueError("is too small; give a /28 or larger")
    if not network.is_private:
        raise ValueError("is not a private network; choose one such as 10.217.0.0/20")
    return value


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise ValueError("holds what JSON cannot; use text, numbers, True, False, lists and dictionaries") from None
    return value


def _secret(value: object) -> object:
    if isinstance(value, str) and (value in ("", "generate") or re.fullmatch(r"(env|file|age):\S.*", value)):
        return value
    raise ValueError(
        "is not a reference to a secret; write where it is, never the secret itself: "
        "'env:VARIABLE', 'file:PATH', 'age:PATH' or 'generate'"
    )


Size = Annotated[int, BeforeValidator(size)]
"""Bytes, given as a number or as text with K, M, G or T (powers of 1024)."""

Memory = Annotated[Size, AfterValidator(_memory)]
"""Bytes of memory of a container that runs Jupyter: at least 256 MiB."""

Seconds = Annotated[int, Field(ge=0)]
"""A duration in seconds, or 0 where the description says what that means."""

Timeout = Annotated[int, Field(ge=1)]
"""A duration in seconds, at least one."""

HostPath = Annotated[str, AfterValidator(_absolute)]
"""An absolute path on the host."""

LocalFile = Annotated[str, AfterValidator(_one_line), "file"]
"""A file on the control machine, relative to the inventory's directory; empty for none."""

Slug = Annotated[str, AfterValidator(_slug)]
"""A short name that can be part of a container's, a network's and a unit's name."""

UserName = Annotated[str, AfterValidator(_user_name)]
"""A user's name as JupyterHub keeps it."""

Account = Annotated[str, AfterValidator(_account)]
"""A Linux user or group on the host, by name or number."""

Mode = Annotated[str, BeforeValidator(_mode)]
"""A file mode, four octal digits."""

HttpUrl = Annotated[str, AfterValidator(http_url)]
"""An http or https URL without credentials."""

OptionalUrl = Annotated[str, AfterValidator(_url_or_empty)]
"""An http or https URL without credentials, or empty."""

Origin = Annotated[str, AfterValidator(_origin)]
"""Scheme, host and port of a site."""

Registry = Annotated[str, AfterValidator(_registry)]
"""host:port of an image registry."""

NoProxy = Annotated[str, AfterValidator(_no_proxy)]
"""A name, a domain beginning with a dot, an address or a network."""

Image = Annotated[str, AfterValidator(_image)]
"""An image's name."""

Package = Annotated[str, AfterValidator(_package)]
"""A Debian package's name."""

Checksum = Annotated[str, AfterValidator(_checksum)]
"""A SHA-256 in lower-case hexadecimal digits, or empty."""

ServerImage = Annotated[str, AfterValidator(_server_image)]
"""An image's name with a tag or a digest, or `singleuser`."""

UrlPath = Annotated[str, AfterValidator(_url_path)]
"""The path of a page, beginning with '/'."""

Variable = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable."""

Line = Annotated[str, AfterValidator(_one_line)]
"""Text without line breaks."""

AnyNetwork = Annotated[str, AfterValidator(_network)]
"""An IPv4 or IPv6 network."""

Subnet = Annotated[str, AfterValidator(_subnet)]
"""A private IPv4 network, /28 or larger."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_json_object)]
"""A dictionary that can be written as JSON."""

SecretRef: TypeAlias = Annotated[str, BeforeValidator(_secret), "secret"]
"""Where a secret is: 'env:VARIABLE', 'file:PATH', 'age:PATH' (on the control machine) or 'generate' (on the
host).
"""


class PublicUrl(BaseModel):
    """The address people type, taken apart. `host` is a DNS name or an IP address (IPv6 without brackets)."""

    model_config = ConfigDict(frozen=True)

    scheme: Literal["https", "http"]
    host: str
    port: int
    base_path: str
    """Begins and ends with '/'."""

    @property
    def is_address(self) -> bool:
        """Whether `host` is an IP address and not a name."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser writes them: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" + ("" if self.port == default else f":{self.port}")

    def __str__(self) -> str:
        return self.origin + self.base_path

    @classmethod
    def parse(cls, value: object) -> "PublicUrl":
        """Read 'https://hub.example.org:8443/base/', 'hub.example.org', '192.0.2.7' or '[2001:db8::7]:8443'.

        Raises ValueError with what is wrong and an example.
        """
        if isinstance(value, PublicUrl):
            return value
        if not isinstance(value, str) or not value.strip():
            raise ValueError("is no address; write what people will type, such as https://hub.example.org")
        text = value.strip()
        if text.count(":") >= 2 and "[" not in text and "//" not in text:
            text = f"[{text}]"
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
        except ValueError:
            raise ValueError("is no address; write what people will type, such as https://hub.example.org") from None
        if parts.scheme not in ("https", "http"):
            raise ValueError("is not reached over https; write an address such as https://hub.example.org")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "holds more than an address; write only scheme, host, port and path, such as "
                "https://hub.example.org:8443/lab"
            )
        port = _port(f"//{parts.netloc}")
        host = (parts.hostname or "").rstrip(".")
        try:
            host = str(ipaddress.ip_address(host))
        except ValueError:
            labels = host.split(".")
            if not host or not all(_HOST_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
                raise ValueError(
                    "has neither a host name nor an IP address; write one such as https://hub.example.org"
                ) from None
        path = "/" + parts.path.strip("/")
        if not re.fullmatch(r"[A-Za-z0-9/_.~-]*", path) or ".." in path or "//" in path:
            raise ValueError("has a path that servers read differently; use letters, digits and - _ . ~ in it")
        return cls(
            scheme="https" if parts.scheme == "https" else "http",
            host=host,
            port=port or (443 if parts.scheme == "https" else 80),
            base_path=path if path == "/" else path + "/",
        )


Url = Annotated[PublicUrl, BeforeValidator(PublicUrl.parse)]
"""`PublicUrl`, given as text."""
