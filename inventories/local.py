"""This machine as a hub: `pyinfra inventories/local.py deploy.py`, as root, on a Debian that may be changed."""

import socket

from hubfleet.settings.check import check

classroom = [("@local", {"public_url": f"https://{socket.getfqdn()}", "login": ["native"]})]

check(__file__)
