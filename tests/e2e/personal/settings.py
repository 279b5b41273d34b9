"""A personal hub with a password or GitHub on one page."""

from hubfleet.images import Target
from tests.e2e.world import World
from tests.fleet import Host

IMAGES: tuple[Target, ...] = ("hub", "personal")


def settings(world: World, host: Host) -> dict[str, object]:
    """`ada` has a password, `grace` a password and a GitHub account of another name, `octocat` GitHub's alone.

    At GitHub there is another `ada` too, who is nobody here.
    """
    github = world.github
    app = github.register("Personal hub", f"https://{host.address}/hub/oauth_callback")
    for login in ("ada", "Grace-Hopper", "Octocat"):
        github.join(login)
    secret = world.directory / "personal-client-secret"
    secret.write_text(app.client_secret)
    return {
        "login": ["pam", "oauth"],
        "oauth_url": github.url,
        "oauth_client_id": app.client_id,
        "oauth_client_secret": f"file:{secret}",
        "users_admins": ["jupyterhub", "deputy"],
        "users_allowed": ["ada", "grace", "github-octocat"],
        "users_oauth": {"grace": "Grace-Hopper"},
        "hub_mem_limit": "4G",
    }
