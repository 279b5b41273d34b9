"""What differs between the systems Hubfleet runs on, as data."""

from dataclasses import dataclass

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian, on a host and in an image, keeps all the authorities it trusts."""


@dataclass(frozen=True)
class Archive:
    """An apt source: its address, and its suites and components with spaces between them."""

    url: str
    suites: str
    components: str


@dataclass(frozen=True)
class System:
    """A supported release and what is particular to it."""

    distribution: str
    version: str
    codename: str

    @property
    def engine_packages(self) -> list[str]:
        """The packages of the distribution's engine: client, BuildKit and all. Debian 12 has them in one."""
        if (self.distribution, self.version) == ("debian", "12"):
            return ["docker.io"]
        if self.distribution == "ubuntu":
            return ["docker.io", "docker-buildx"]
        return ["docker.io", "docker-cli", "docker-buildx"]

    def archives(self, mirror: str) -> list[Archive]:
        """Where a mirror keeps what the release gets, later corrections too. Debian's security archive stands beside
        its main one, named as Debian names it; Ubuntu's is in the same."""
        mirror, name = mirror.rstrip("/"), self.codename
        if self.distribution == "ubuntu":
            return [Archive(mirror, f"{name} {name}-updates {name}-security", "main universe")]
        return [
            Archive(mirror, f"{name} {name}-updates", "main"),
            Archive(f"{mirror}-security", f"{name}-security", "main"),
        ]

    @property
    def nginx_http2_directive(self) -> bool:
        """Whether nginx is 1.25.1 or newer: `http2 on;`, and a warning for the older `listen ... http2`."""
        return self.distribution == "debian" and self.version.isdigit() and int(self.version) >= 13

    @classmethod
    def of(cls, report: dict[str, list[str]]) -> "System":
        """Read it from the `Survey` fact; what could not be read is empty (preflight has told)."""
        release = dict(line.replace('"', "").split("=", 1) for line in report.get("system", []) if "=" in line)
        return cls(release.get("ID", ""), release.get("VERSION_ID", ""), release.get("VERSION_CODENAME", ""))
