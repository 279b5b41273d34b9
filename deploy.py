"""What a host gets, in order: the whole deployment on one screen."""

from pyinfra.context import host

from hubfleet.settings.check import check_run, lab_of
from hubfleet.systems import System
from tasks import docker, edge, egress, hub, lms, preflight, secrets, storage, system

check_run()  # every host's data, `--data` too, before anything is changed

lab = lab_of(host)
report = preflight.survey(lab)
release = System.of(report)

preflight.judge_host(lab=lab, report=report)  # an error stops this host, and this host only
system.reach_outside(lab=lab, system=release)  # apt's mirror and proxy, extra authorities
docker.install_engine(lab=lab, system=release)
storage.lay_out(lab=lab)
secrets.make_and_place(lab=lab)
hub.provide_images(lab=lab)
hub.make_networks(lab=lab)
egress.close_the_ways_out(lab=lab)  # before any container of users runs
lms.meet(lab=lab)  # keys that no launch could be judged by stop this host before its hub is touched
hub.run_hub(lab=lab)
edge.serve_https(lab=lab, system=release)  # the port opens last
