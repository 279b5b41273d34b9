"""Containers: replaced when and only when they differ from what is wanted, and brought back when the new one fails."""

import base64
import json
import re
from dataclasses import replace

from hubfleet import notices, operations
from hubfleet.containers import LABEL_SPEC, Attachment, ContainerSpec, Restart
from tests.unit.operations.bench import Bench

SPEC = ContainerSpec(
    name="hubfleet-lab-hub",
    hub="lab",
    role="hub",
    image="hubfleet/hub:1",
    command=("python", "-m", "hubfleet_hub"),
    user="40740:40740",
    memory=1024**3,
    networks=(Attachment("core", "10.217.16.2"), Attachment("users", "10.217.0.2")),
    health=("python", "-m", "hubfleet_hub.health"),
)
READS = {"hub.yaml": "a" * 64}
TOKEN = "/var/lib/hubfleet/lab/secrets/token"
KEYED = "b" * 64
DIGEST = SPEC.digest({**READS, TOKEN: KEYED})

RESTART = Restart("docker exec hubfleet-lab-hub restart", "/var/lib/hubfleet/lab/hub.read")

STOP_AND_RENAME = (
    "docker stop -t 30 hubfleet-lab-hub >/dev/null; docker rename hubfleet-lab-hub hubfleet-lab-hub-previous"
)
START = "docker start hubfleet-lab-hub >/dev/null"
DROP_PREVIOUS = "docker rm -f hubfleet-lab-hub-previous >/dev/null 2>&1 || :"


def inspected(name: str) -> re.Pattern[str]:
    return re.compile(rf"docker inspect .* {name}( |'|\"|$)")


def host_with(
    *,
    label: str | None = DIGEST,
    status: str = "running",
    health: str = "healthy",
    answers: bool = True,
    previous: str | None = None,
    token: str = "c" * 64,
    read: str = "",
    servers: int = 0,
) -> Bench:
    """A host whose container carries this label, None for no container; `previous` is the label of one put aside.

    `read` is what the stamp holds of the files that the process in it read last, `servers` how many run inside.
    """

    def state(of: str) -> str:
        return json.dumps({"labels": {LABEL_SPEC: of}, "status": status, "image": "i", "health": health})

    told: dict[str | re.Pattern[str], str] = {"hubfleet_hub.health": "healthy" if answers else ""}
    if previous is not None:
        told[inspected("hubfleet-lab-hub-previous")] = state(previous)
    if label is not None:
        told[inspected("hubfleet-lab-hub")] = state(label)
    told["for f in"] = f"{KEYED} {TOKEN}"
    told["base64"] = base64.b64encode(read.encode()).decode()
    told["list-servers"] = "\n".join(f"/proc/{number}/cmdline" for number in range(servers))
    told["stat -c"] = f"regular file|root|root|40740|40740|400\n{token}  -"
    return Bench.telling(told)


def commands(
    host: Bench,
    spec: ContainerSpec = SPEC,
    wanted_token: str | None = None,
    reads: dict[str, str] = READS,
    restart: Restart | None = None,
) -> list[str]:
    notices.forget()
    found = host.commands(
        operations.container,
        spec=spec,
        reads=reads,
        secrets={TOKEN: wanted_token},
        key="/var/lib/hubfleet/lab/key",
        restart=restart,
    )
    return [command for command in found if not command.startswith("# wait")]


def kinds(command: list[str]) -> list[str]:
    return [" ".join(each.split()[:2]) for each in command]


def test_one_that_is_as_wanted_is_left_alone() -> None:
    assert commands(host_with()) == []


def test_one_that_is_missing_is_made_with_its_fixed_addresses_and_label() -> None:
    create, connect, *rest = commands(host_with(label=None))
    assert create.startswith("docker create --name hubfleet-lab-hub ")
    assert "--network core --ip 10.217.16.2" in create
    assert f"--label {LABEL_SPEC}={DIGEST}" in create
    assert connect == "docker network connect --ip 10.217.0.2 users hubfleet-lab-hub"
    assert rest == [START, DROP_PREVIOUS]
    assert notices.told("@fake") == []


def test_one_that_drifted_is_put_aside_and_told_as_a_restart() -> None:
    found = commands(host_with(label="an older one"))
    assert found[0] == STOP_AND_RENAME
    assert kinds(found) == ["docker stop", "docker create", "docker network", "docker start", "docker rm"]
    assert [(told.kind, told.text) for told in notices.told("@fake")] == [("restart", "hub restarts")]


def test_one_that_somebody_stopped_is_started_and_not_made_anew() -> None:
    assert commands(host_with(status="exited")) == [START, DROP_PREVIOUS]


def test_one_that_is_running_and_unhealthy_is_not_called_as_wanted() -> None:
    assert commands(host_with(health="unhealthy")) == [START, DROP_PREVIOUS]


def test_one_that_still_starts_is_waited_for_unless_it_answers_already() -> None:
    assert commands(host_with(health="starting", answers=True)) == []
    assert commands(host_with(health="starting", answers=False)) == [START, DROP_PREVIOUS]


def test_a_run_cut_off_before_its_first_start_makes_it_anew_on_all_its_networks() -> None:
    found = commands(host_with(status="created"))
    assert found[0] == "docker rm hubfleet-lab-hub >/dev/null"
    assert kinds(found[1:]) == ["docker create", "docker network", "docker start", "docker rm"]
    assert notices.told("@fake") == []


def test_a_changed_setting_file_or_secret_is_a_changed_container() -> None:
    digests = {
        DIGEST,
        replace(SPEC, memory=2).digest({**READS, TOKEN: KEYED}),
        SPEC.digest({"hub.yaml": "d" * 64, TOKEN: KEYED}),
        SPEC.digest({**READS, TOKEN: "e" * 64}),
        SPEC.digest(READS),
    }
    assert len(digests) == 5
    assert commands(host_with(), replace(SPEC, memory=2)) != []


def test_a_secret_about_to_change_shows_as_a_change_in_a_dry_run() -> None:
    assert commands(host_with(token="c" * 64), wanted_token="c" * 64) == []
    assert commands(host_with(token="c" * 64), wanted_token="f" * 64)[0] == STOP_AND_RENAME


def test_a_run_cut_off_after_the_old_one_was_put_aside_begins_again_from_the_old_one() -> None:
    found = commands(host_with(label=None, previous="an older one"))
    assert found[0].endswith("docker rename hubfleet-lab-hub-previous hubfleet-lab-hub")
    assert found[1] == STOP_AND_RENAME
    assert found[2].startswith("docker create")


def test_a_run_cut_off_before_the_new_one_was_healthy_waits_for_it_and_drops_the_old_one() -> None:
    assert commands(host_with(previous="an older one")) == [START, DROP_PREVIOUS]


def test_the_wait_for_health_is_part_of_the_plan() -> None:
    found = host_with(label=None).commands(operations.container, spec=SPEC, reads=READS, secrets={}, key="/key")
    assert "# wait up to 240 s for hubfleet-lab-hub to be healthy" in found


def test_no_secret_and_no_capability_is_in_its_command() -> None:
    create = SPEC.create_command(DIGEST)
    for words in (
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--memory 1073741824 --memory-swap 1073741824",
        "--pids-limit 512",
        "--restart unless-stopped",
    ):
        assert words in create
    assert "--env" not in create
    assert "--publish" not in create


def test_only_the_one_that_speaks_to_the_engine_gets_its_socket() -> None:
    assert "docker.sock" not in SPEC.create_command(DIGEST)
    assert "docker.sock" in replace(SPEC, uses_engine=True).create_command(DIGEST)


def test_the_keeper_of_homes_has_no_network() -> None:
    alone = replace(SPEC, networks=())
    assert "--network none" in alone.create_command(DIGEST)
    assert alone.connect_commands() == []


def stamp() -> str:
    """What the stamp holds once READS and the token were read."""
    *_, remember, _ = commands(host_with(label=None), restart=RESTART)
    said, read, into, place = remember.split()
    assert (said, into, place) == ("echo", ">", RESTART.stamp)
    return read


INSIDE = SPEC.digest({})


def test_with_servers_inside_only_the_process_restarts_for_a_changed_file() -> None:
    read = stamp()
    assert commands(host_with(label=INSIDE, read=read), restart=RESTART) == []
    changed = {"hub.yaml": "d" * 64}
    found = commands(host_with(label=INSIDE, read=read), reads=changed, restart=RESTART)
    assert found[0] == RESTART.command
    assert found[1].endswith(f"> {RESTART.stamp}")
    assert kinds(found[2:]) == ["docker rm"]
    assert [(told.kind, told.text) for told in notices.told("@fake")] == [("restart", "hub restarts")]


def test_a_secret_about_to_change_restarts_the_process_and_shows_so_in_a_dry_run() -> None:
    host = host_with(label=INSIDE, read=stamp(), token="c" * 64)
    assert commands(host, wanted_token="c" * 64, restart=RESTART) == []
    assert commands(host, wanted_token="f" * 64, restart=RESTART)[0] == RESTART.command


def test_a_process_that_does_not_answer_restarts_and_its_container_stays() -> None:
    host = host_with(label=INSIDE, read=stamp(), health="unhealthy")
    assert commands(host, restart=RESTART)[0] == RESTART.command


def test_a_new_container_remembers_what_its_process_read() -> None:
    found = commands(host_with(label="an older one", read="older"), restart=RESTART)
    assert found[0] == STOP_AND_RENAME
    assert kinds(found)[-3:] == ["docker start", f"echo {stamp()}", "docker rm"]
    assert RESTART.command not in found


def spared(host: Bench, *, agreed: bool) -> list[str]:
    notices.forget()
    return host.commands(operations.servers_spared, spec=SPEC, servers="list-servers", agreed=agreed)


def told() -> list[tuple[str, str]]:
    return [(notice.kind, notice.text) for notice in notices.told("@fake")]


def test_servers_inside_are_cut_off_only_when_that_was_agreed_to() -> None:
    (refusal,) = spared(host_with(label="an older one", servers=3), agreed=False)
    assert "would cut off 3 running servers" in refusal
    assert "--data hub_cut_servers=True" in refusal
    assert refusal.endswith("false")
    assert [kind for kind, _ in told()] == ["error"]
    assert spared(host_with(label="an older one", servers=3), agreed=True) == []
    assert told() == [("cut", "cuts off 3 running servers")]
    assert spared(host_with(label="an older one", servers=1), agreed=True) == []
    assert told() == [("cut", "cuts off 1 running server")]


def test_nothing_is_asked_where_no_server_would_be_cut_off() -> None:
    for host in (
        host_with(label=None),
        host_with(label=INSIDE, servers=3),
        host_with(label="an older one", servers=0),
        host_with(label="an older one", status="exited", servers=3),
    ):
        assert spared(host, agreed=False) == []
        assert told() == []


def test_only_one_whose_people_use_sudo_may_let_a_process_gain_privileges() -> None:
    sudo = replace(SPEC, gains_privileges=True, shm_size=64 * 1024**2).create_command(DIGEST)
    assert "no-new-privileges" not in sudo
    assert "--cap-drop ALL" in sudo
    assert "--shm-size 67108864" in sudo
    assert "--shm-size" not in SPEC.create_command(DIGEST)
