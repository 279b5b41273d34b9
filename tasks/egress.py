"""What users' containers may reach outside: everything, or nothing but their hub."""

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.settings import Lab
from hubfleet.templates import render
from tasks.hub import LIBRARY


@deploy("Egress")
def close_the_ways_out(lab: Lab) -> None:
    """Rules on the users' network, from a unit of their own that starts before the engine.

    The unit is there when everything is open too: it takes away what an earlier choice had closed.
    """
    names, addresses = lab.names, lab.addresses
    directory = f"{LIBRARY}/{lab.hub.hub_name}"
    script, unit = f"{directory}/egress-rules", f"{names.prefix}-egress.service"
    rules = render(
        "egress/rules.j2",
        egress=lab.hub.egress,
        chain=names.egress_chain,
        bridge=names.users_bridge,
        gateway=addresses.users_gateway,
        subnet=addresses.users_subnet,
    )
    service = render("egress/egress.service.j2", hub=lab.hub.hub_name, script=script)
    operations.file(name="place the rules", dest=script, content=rules, mode="0755")
    operations.file(name="place the rules' unit", dest=f"/etc/systemd/system/{unit}", content=service)
    operations.unit(name="start the rules at boot", service=unit)
    operations.applied(
        name="apply the rules",
        apply=f"systemctl daemon-reload && systemctl restart {unit}",
        reads={
            script: operations.content_hash(rules),
            f"/etc/systemd/system/{unit}": operations.content_hash(service),
        },
        stamp=f"{directory}/egress-rules.loaded",
    )
