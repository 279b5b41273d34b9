"""`python -m hubfleet`: the same as `hubfleet`."""

from hubfleet.cli import main

main()
