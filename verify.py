"""`pyinfra INVENTORY verify.py`: prove each hub from outside, as a user would; `hubfleet verify` has options."""

from pyinfra.context import host
from pyinfra.operations import python

from hubfleet.settings import lab_of
from hubfleet.verbs.verify import prove_here

python.call(name="Verify: prove the hub as a user would", function=prove_here, lab=lab_of(host))
