"""`pyinfra INVENTORY status.py`: how each hub is. `hubfleet status` has them in one table."""

from pyinfra.context import host
from pyinfra.operations import python

from hubfleet.settings import lab_of
from hubfleet.verbs.status import tell_here

python.call(name="Status: look at the hub", function=tell_here, lab=lab_of(host))
