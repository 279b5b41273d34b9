"""One JupyterLab for those on a list and for an organisation's members, at a port of its own."""

from hubfleet.images import Target
from tests.e2e.world import World
from tests.fleet import Host

IMAGES: tuple[Target, ...] = ("hub", "shared")


def settings(world: World, host: Host) -> dict[str, object]:
    """`ada` is the admin, `bob` and `cleo` are on the list, `dora` is in the organisation; `mallory` is nobody here."""
    url = f"https://{host.address}:8443"
    github = world.github
    app = github.register("Pad", f"{url}/hub/oauth_callback")
    for login in ("Ada", "bob", "cleo", "mallory"):
        github.join(login)
    github.join("dora", "engines")
    secret = world.directory / "pad-client-secret"
    secret.write_text(app.client_secret)
    return {
        "public_url": url,
        "oauth_url": github.url,
        "oauth_client_id": app.client_id,
        "oauth_client_secret": f"file:{secret}",
        "oauth_allowed_organizations": ["engines"],
        "users_admins": ["ada"],
        "users_allowed": ["bob", "cleo"],
    }
