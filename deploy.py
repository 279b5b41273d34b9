"""What a host gets, in order: the whole deployment on one screen."""

from pyinfra.context import host

from hubfleet.settings.check import check_run, lab_of
from hubfleet.systems import System
from tasks import docker, edge, hub, preflight, secrets, storage, system

check_run()  # every host's data, `--data` too, before anything is changed

lab = lab_of(host)
report = preflight.survey(lab)
release = System.of(report)

preflight.judge_host(lab, report)  # an error stops this host, and this host only
system.reach_outside(lab, release)  # apt's mirror and proxy, extra authorities
docker.install_engine(lab, release)
storage.lay_out(lab)
secrets.make_and_place(lab)
hub.provide_images(lab)
hub.make_networks(lab)
hub.run_hub(lab)
edge.serve_https(lab, release)  # the port opens last
