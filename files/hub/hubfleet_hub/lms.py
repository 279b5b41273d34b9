"""What the administrator of an LMS enters there so that a course leads to the hub, in the words of each LMS.

One source for the hub's page ``/hub/lti13/setup`` and for the sheet that a deploy lays out on the host. No word of it
is secret.
"""

from dataclasses import dataclass
from textwrap import fill

from .config import HubConfig, Lti13


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, and what to enter: the field's name and its value."""

    title: str
    text: str
    rows: tuple[tuple[str, str], ...]


def address(hub: HubConfig, path: str) -> str:
    """What a browser types for ``path`` of the LTI login, such as ``oauth_login``."""
    return f"{hub.public_url}hub/lti13/{path}"


def custom_fields(hub: HubConfig) -> dict[str, str]:
    """The launch's custom field that this hub needs, and the LMS's variable to fill it from."""
    claim = _lti(hub).username_claim
    name = claim.removeprefix("custom_")
    if name == claim:
        return {}
    # The first two are upstream's; User.username is a variable of LTI 1.3 itself.
    return {name: {"email": "$Person.email.primary", "lms_user_id": "$User.id"}.get(name, "$User.username")}


def privacy(hub: HubConfig) -> str:
    """How much of a person the LMS must tell for the chosen claim, in Canvas's words."""
    return {"sub": "anonymous", "email": "email_only"}.get(_lti(hub).username_claim, "public")


def sections(hub: HubConfig) -> list[Section]:
    """All there is to tell. `hub` has the login ``lti13``."""
    lti = _lti(hub)
    target, keys = hub.public_url, address(hub, "jwks")
    initiation, callback = address(hub, "oauth_login"), address(hub, "oauth_callback")
    known = custom_fields(hub)
    return [
        Section(
            "Any platform",
            f"{_about_people(hub)} {_about_frames(hub)} The key set is empty, for this hub asks nothing of the "
            "platform: where it can be left out, leave it out.",
            (
                ("LTI version", "1.3"),
                ("Tool URL, or target link URI", target),
                ("Initiate login URL, or OpenID Connect initiation URL", initiation),
                ("Redirection URI", callback),
                ("Public keyset URL", keys),
            ),
        ),
        Section(
            "Moodle",
            "Site administration, Plugins, External tool, Manage tools, “configure a tool manually”:",
            (
                ("Tool name", lti.tool_name),
                ("Tool URL", target),
                ("LTI version", "LTI 1.3"),
                ("Public key type", "Keyset URL"),
                ("Public keyset", keys),
                ("Initiate login URL", initiation),
                ("Redirection URI(s)", callback),
                *(("Custom parameters", f"{name}={variable}") for name, variable in known.items()),
                ("Default launch container", "Embed, without blocks" if hub.frame_ancestors else "New window"),
                ("Share launcher's name with tool", "Always" if privacy(hub) == "public" else "Never"),
                ("Share launcher's email with tool", "Never" if privacy(hub) == "anonymous" else "Always"),
            ),
        ),
        Section(
            "Canvas",
            "Admin, Developer Keys, + LTI Key, Method “Enter URL”:",
            (("Redirect URIs", callback), ("JSON URL", address(hub, "config"))),
        ),
        Section(
            "What this hub has to know",
            "It was set up with this. If the platform shows anything else, tell whoever runs the hub.",
            (
                ("Platform ID, or issuer", lti.issuer),
                ("Client ID", ", ".join(lti.client_ids)),
                ("Authentication request URL", lti.authorize_url),
                ("Public keyset URL", lti.jwks_url),
            ),
        ),
    ]


def title(hub: HubConfig) -> str:
    return f"{_lti(hub).tool_name}: what to enter in the learning platform"


INTRODUCTION = "This hub is an LTI 1.3 tool. Nothing on this page is secret."


def sheet(hub: HubConfig) -> str:
    """All of it as plain text."""
    lines = [title(hub), "", INTRODUCTION]
    for section in sections(hub):
        width = max(len(label) for label, _ in section.rows)
        lines += ["", "", section.title, "", fill(section.text, 100), ""]
        lines += [f"  {label:<{width}}  {value}" for label, value in section.rows]
    return "\n".join(lines) + "\n"


def _about_people(hub: HubConfig) -> str:
    needed = f"The launch must hold the claim {_lti(hub).username_claim}, which names people on this hub."
    if known := custom_fields(hub):
        return f"{needed} It is a custom field: add the one named {next(iter(known))}."
    return (
        needed
        + {
            "anonymous": " Every launch does: nothing else about the person need be shared.",
            "email_only": " Let the platform share the e-mail address with the tool.",
            "public": " Let the platform share the name and the e-mail address with the tool.",
        }[privacy(hub)]
    )


def _about_frames(hub: HubConfig) -> str:
    if hub.frame_ancestors:
        return "The tool may be shown inside the platform's own page."
    return "Have the tool open in a new window: this hub cannot be shown inside another site's page."


def _lti(hub: HubConfig) -> Lti13:
    assert hub.lti13 is not None  # HubConfig sees to it
    return hub.lti13
