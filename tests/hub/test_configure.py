"""What JupyterHub and Docker are told."""

# mypy: disable-error-code="import-untyped"

from ast import literal_eval
from collections.abc import Callable
from typing import Any

import pytest
from jupyterhub import orm
from traitlets.config import Config

from hubfleet_hub.config import VERIFY_USERS, ConfigError, HubConfig
from hubfleet_hub.configure import configure
from hubfleet_hub.spawners.docker import (
    HubfleetDockerSpawner,
    create_options,
    environment,
    host_options,
)

Make = Callable[..., HubConfig]


@pytest.fixture
def told(here: Any, make: Make) -> Callable[..., Config]:
    def tell(**changes: Any) -> Config:
        c = Config()
        configure(c, make(**changes))
        return c

    return tell


Told = Callable[..., Config]


def spawner(c: Config, user: str, server: str = "") -> HubfleetDockerSpawner:
    return HubfleetDockerSpawner(config=c, user=orm.User(name=user), orm_spawner=orm.Spawner(name=server))


def test_a_hub_that_restarts_leaves_servers_and_routes(told: Told) -> None:
    c = told()
    assert c.JupyterHub.cleanup_servers is False
    assert c.JupyterHub.cleanup_proxy is False
    assert c.ConfigurableHTTPProxy.should_start is False


def test_servers_are_given_an_address_and_not_a_name(told: Told) -> None:
    assert told().Spawner.hub_connect_url == "http://10.210.1.2:8081"


def test_cookies_are_for_https_alone_when_the_hub_is(told: Told) -> None:
    assert told().JupyterHub.tornado_settings == {"cookie_options": {"samesite": "Lax", "secure": True}}
    assert told(public_url="http://hub.example.org").JupyterHub.tornado_settings == {
        "cookie_options": {"samesite": "Lax"}
    }


def test_so_do_servers_and_they_are_told_nothing_of_it_otherwise(told: Told) -> None:
    framed = ["https://lms.example.org", "https://other.example.org"]
    (argument,) = told(frame_ancestors=framed).Spawner.args
    option, _, value = argument.partition("=")
    assert option == "--ServerApp.tornado_settings"
    assert literal_eval(value) == {  # as traitlets reads it
        "headers": {
            "Content-Security-Policy": "frame-ancestors 'self' https://lms.example.org https://other.example.org"
        },
        "xsrf_cookie_kwargs": {"samesite": "None", "secure": True},
    }
    assert told().Spawner.args == []


def test_the_hub_works_in_the_frames_of_the_pages_that_are_named(told: Told) -> None:
    settings = told(frame_ancestors=["https://lms.example.org"]).JupyterHub.tornado_settings
    assert settings["cookie_options"] == {"samesite": "None", "secure": True}
    policy = settings["headers"]["Content-Security-Policy"]
    assert policy == "frame-ancestors https://lms.example.org; report-uri /hub/security/csp-report"


def test_nobody_is_let_in_for_being_in_the_database_already(told: Told) -> None:
    c = told(users__allowed=["ada"])
    assert c.Authenticator.allow_all is False
    assert c.Authenticator.allow_existing_users is False
    assert c.Authenticator.allowed_users == {"ada", "admin"}


def test_without_a_list_whoever_is_approved_is_let_in(told: Told) -> None:
    assert told().Authenticator.allow_all is True


def test_the_token_of_verify_is_good_for_the_throw_away_users_alone(told: Told) -> None:
    (role,) = (role for role in told().JupyterHub.load_roles if role["name"] == "verify")
    assert {scope.partition("!user=")[2] for scope in role["scopes"]} == set(VERIFY_USERS)


def test_the_token_of_status_only_reads(told: Told) -> None:
    (role,) = (role for role in told().JupyterHub.load_roles if role["name"] == "status")
    assert all(scope.startswith(("read:", "list:")) for scope in role["scopes"])


def test_culling_can_be_off(told: Told) -> None:
    c = told(cull__timeout=0, cull__kernel_timeout=0)
    assert [service["name"] for service in c.JupyterHub.services] == ["status", "verify"]
    assert c.Spawner.args == []


def test_idle_servers_and_kernels_are_culled_when_told(told: Told) -> None:
    c = told(cull__timeout=60, cull__kernel_timeout=30)
    (culler,) = (service for service in c.JupyterHub.services if service["name"] == "idle-culler")
    assert "--timeout=60" in culler["command"]
    assert c.Spawner.args == ["--MappingKernelManager.cull_idle_timeout=30"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_postgresql_is_reached_with_the_driver_in_the_image(told: Told, here: Any, scheme: str) -> None:
    here.secret("hub_db_url", f"{scheme}://hub:p@db/hub")
    assert told(db="secret").JupyterHub.db_url == "postgresql+psycopg://hub:p@db/hub"
    (here.root / "secrets" / "hub_db_url").unlink()


def test_a_missing_secret_is_named(here: Any, make: Make) -> None:
    (here.root / "secrets" / "crypt_key").rename(here.root / "secrets" / "away")
    with pytest.raises(ConfigError, match="crypt_key: No such file"):
        configure(Config(), make())
    (here.root / "secrets" / "away").rename(here.root / "secrets" / "crypt_key")


def test_no_secret_is_in_the_environment_of_a_server(told: Told, here: Any) -> None:
    secrets = [path.read_text().strip() for path in (here.root / "secrets").iterdir() if path.is_file()]
    text = repr(told().DockerSpawner) + repr(told().Spawner)
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("foo_bar", ""), ("foo-bar", "")),
        (("x", "2e"), (".", "")),
        (("a", "b"), ("a_b", "")),
        (("ada", "A"), ("ada", "a")),
    ],
)
def test_no_two_servers_have_one_container_name(told: Told, one: Any, other: Any) -> None:
    c = told()
    assert spawner(c, *one).object_name != spawner(c, *other).object_name


def test_a_container_is_named_after_hub_and_user(told: Told) -> None:
    assert spawner(told(), "a.b").object_name == "hubfleet-lab-server-a-2eb"
    assert spawner(told(), "a.b", "gpu").object_name == "hubfleet-lab-server-a-2eb_gpu"


def test_the_home_is_mounted_so_that_docker_never_makes_a_missing_one(told: Told) -> None:
    (home,) = spawner(told(), "a.b").mount_binds
    assert home == {"Target": "/home/jovyan", "Source": "/srv/homes/a-2eb", "Type": "bind", "ReadOnly": False}


def test_a_volume_is_named_and_labelled_for_its_user(told: Told) -> None:
    (home,) = spawner(told(home__kind="volume"), "a.b").mount_binds
    assert (home["Type"], home["Source"]) == ("volume", "hubfleet-lab-home-a-2eb")
    assert home["VolumeOptions"]["Labels"] == {"io.hubfleet.hub": "lab", "io.hubfleet.user": "a-2eb"}


def test_more_volumes_come_beside_the_home(told: Told) -> None:
    volumes = [
        {"source": "/data", "target": "/data", "read_only": True},
        {"source": "cache", "target": "/cache", "read_only": False},
    ]
    _, data, cache = spawner(told(server__volumes=volumes), "ada").mount_binds
    assert (data["Type"], data["ReadOnly"]) == ("bind", True)
    assert (cache["Type"], cache["ReadOnly"]) == ("volume", False)


def test_servers_ask_whom_they_are_told_for_names(make: Make) -> None:
    assert host_options(make(server__nameserver="127.0.0.1"))["dns"] == ["127.0.0.1"]
    assert "dns" not in host_options(make())


def test_memory_and_swap_have_one_limit(make: Make) -> None:
    assert host_options(make(server__mem_limit=1 << 30))["memswap_limit"] == 1 << 30


@pytest.mark.parametrize("profile", ["restricted", "desktop", "privileged"])
def test_every_profile_has_limits_and_small_logs(make: Make, profile: str) -> None:
    options = host_options(make(server__profile=profile))
    assert options["pids_limit"] == 1024
    assert options["shm_size"] == 64 * 1024**2
    assert options["log_config"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_a_restricted_server_has_no_capability_and_gains_none(make: Make) -> None:
    options = host_options(make())
    assert options["cap_drop"] == ["ALL"]
    assert options["security_opt"] == ["no-new-privileges"]
    assert not options.keys() & {"privileged", "cap_add"}
    assert create_options(make(home__uid=5, home__gid=6))["user"] == "5:6"


def test_a_desktop_is_short_of_privileged(make: Make) -> None:
    config = make(server__profile="desktop", server__user="root")
    assert host_options(config)["cap_add"] == ["SYS_ADMIN"]
    assert "privileged" not in host_options(config)
    assert create_options(config)["host_config"] == {"MaskedPaths": [], "ReadonlyPaths": []}


def test_an_image_that_starts_as_root_is_told_whom_to_become(make: Make) -> None:
    config = make(server__profile="desktop", server__user="root", home__uid=5, home__gid=6)
    assert environment(config) == {"NB_UID": "5", "NB_GID": "6"}


def test_the_labs_environment_comes_last(make: Make) -> None:
    assert environment(make(server__environment={"HOME": "/x", "A": "b"})) == {"HOME": "/x", "A": "b"}


def test_root_in_a_restricted_server_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="choose the profile 'desktop'"):
        make(server__user="root")


def test_servers_are_given_the_devices_that_are_set(make: Make) -> None:
    config = make(server__devices=["/dev/fuse"])
    assert host_options(config)["devices"] == ["/dev/fuse:/dev/fuse:rwm"]
