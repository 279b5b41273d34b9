"""What users' containers may reach outside, as far as containers themselves are told."""

from hubfleet.settings.lab import Lab

NO_NAMESERVER = "127.0.0.1"
"""Docker answers a container's questions for outside names itself, from the host, which rules about the container do
not see; told of a server inside the container, where none listens, it answers at once that there is no answer."""


def nameserver(lab: Lab) -> str:
    """Who knows outside names for users' containers; empty: whom the host asks."""
    return "" if lab.hub.egress == "open" else NO_NAMESERVER
