"""The hub's container: prepare, then become JupyterHub."""

import os
from pathlib import Path

from . import prepare

CONFIG_FILE = Path(__file__).with_name("jupyterhub_config.py")

if __name__ == "__main__":
    os.umask(0o077)  # the database holds hashes of passwords
    prepare.main()
    os.execvp("jupyterhub", ["jupyterhub", "-f", str(CONFIG_FILE)])
