"""Asking an LMS for its keys from where the hub stands: pure."""

import shlex

from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet.spawners.parts import AUTHORITIES, USER


def question(lab: Lab) -> str:
    """The host's command that judges the LMS's public keys: prints ``good: ...`` or ``bad: why; what to do``.

    It runs in the hub's image, on its network, with its proxy and authorities: what a firewall refuses the hub it
    refuses here too.
    """
    spec = parts(lab).hub
    words = ["docker", "run", "--rm", "--network", lab.names.core_network, "--ip", lab.addresses.judge_core]
    words += ["--user", USER, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m"]
    if lab.outside.extra_ca:
        words += ["--mount", f"type=bind,source={AUTHORITIES},target={AUTHORITIES},readonly"]
    for key, value in sorted(spec.environment.items()):
        words += ["--env", f"{key}={value}"]
    return shlex.join([*words, spec.image, "python", "-m", "hubfleet_hub.jwks", lab.lti13.jwks_url])
