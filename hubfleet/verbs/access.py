"""How a person reaches a host that pyinfra reaches."""

import shlex

from pyinfra.api.host import Host


def read_command(host: Host, path: str) -> str:
    """The command that prints a file only root can read."""
    if host.connector_cls.__name__ == "LocalConnector":
        return f"sudo cat {shlex.quote(path)}"
    data = host.data.dict()
    user = data.get("ssh_user", "")
    words = ["ssh"]
    if data.get("ssh_port"):
        words += ["-p", str(data["ssh_port"])]
    if data.get("ssh_key"):
        words += ["-i", str(data["ssh_key"])]
    if data.get("ssh_known_hosts_file"):
        words += ["-o", f"UserKnownHostsFile={data['ssh_known_hosts_file']}"]
    address = str(data.get("ssh_hostname") or host.name)
    words.append(f"{user}@{address}" if user else address)
    if user == "root":
        return shlex.join([*words, "cat", path])
    # -t gives sudo a terminal to ask for the password on.
    return shlex.join([*words, "-t", "sudo", "cat", path])
