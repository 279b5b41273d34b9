"""What the administrator of an LMS enters so that a course leads to the hub, in the words of Moodle and of Canvas.

One source for the sheet that a deploy puts on the host and for the page that the hub shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .config import HubConfig, Lti13


@dataclass(frozen=True)
class Entry:
    """One field of the form in which an LMS is told of a tool."""

    moodle: str
    """What Moodle calls it (Site administration, External tool, Manage tools, Configure a tool manually)."""
    canvas: str
    """What Canvas calls it (Developer Keys, LTI Key, Manual Entry); empty: it has no such field."""
    value: str


def initiation_url(hub: HubConfig) -> str:
    return f"{hub.public_url}hub/lti13/oauth_login"


def redirect_url(hub: HubConfig) -> str:
    return f"{hub.public_url}hub/lti13/oauth_callback"


def entries(hub: HubConfig) -> list[Entry]:
    """What to enter, in the order of Moodle's form. `hub` has the login ``lti13``."""
    lti = _lti(hub)
    made = [
        Entry("Tool name", "Title", lti.tool_name),
        Entry("Tool URL", "Target Link URI", f"{hub.public_url}hub"),
        Entry("LTI version", "", "LTI 1.3"),
        Entry("Initiate login URL", "OpenID Connect Initiation Url", initiation_url(hub)),
        Entry("Redirection URI(s)", "Redirect URIs", redirect_url(hub)),
    ]
    if lti.username_claim.startswith("custom_"):
        field = lti.username_claim.removeprefix("custom_")
        value = f"{field}=(what names a person, such as $Person.sourcedId)"
        made.append(Entry("Custom parameters", "Custom Fields", value))
    container = "Embed" if hub.frame_ancestors else "New window"
    made.append(Entry("Default launch container", "Placements, Link Settings", container))
    if lti.username_claim == "email":
        made.append(Entry("Privacy, Share launcher's email with tool", "Privacy Level", "Always (Canvas: Public)"))
    return made


def known(hub: HubConfig) -> list[Entry]:
    """What the hub in turn was told of the LMS; to be compared with what the LMS shows of the tool."""
    lti = _lti(hub)
    return [
        Entry("Platform ID", "Issuer", lti.issuer),
        *(Entry("Client ID", "Client ID", client) for client in lti.client_ids),
        Entry("Authentication request URL", "OIDC Authorization URL", lti.authorize_url),
        Entry("Public keyset URL", "Public JWKs URL", lti.jwks_url),
    ]


def sheet(hub: HubConfig) -> str:
    """All of it as text for a person."""
    return "\n".join(
        [
            f"The hub {hub.public_url} in the words of an LMS's administrator",
            "",
            "Enter in Moodle:",
            *_lines((entry.moodle, entry.value) for entry in entries(hub)),
            "  A keyset of the tool is not needed: the hub signs nothing. It sends no grades and reads no lists.",
            "",
            "Enter in Canvas:",
            *_lines((entry.canvas, entry.value) for entry in entries(hub)),
            f"  Or instead of all this, as Method `Enter URL`: {hub.public_url}hub/lti13/config",
            "",
            "The hub was told this of the LMS; what the LMS shows must be the same, letter for letter:",
            *_lines((f"{entry.moodle} (Canvas: {entry.canvas})", entry.value) for entry in known(hub)),
            f"  A person's name at the hub is the launch's claim `{_lti(hub).username_claim}`.",
            "",
        ]
    )


def _lines(pairs: Iterable[tuple[str, str]]) -> list[str]:
    named = [(name, value) for name, value in pairs if name]
    width = max(len(name) for name, _ in named)
    return [f"  {name:<{width}}  {value}" for name, value in named]


def _lti(hub: HubConfig) -> Lti13:
    assert hub.lti13 is not None
    return hub.lti13
