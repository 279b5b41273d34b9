"""One JupyterLab that all share and edit together, with no way out; a later version builds it."""

login = ["oauth"]
spawner = "shared"
homes = "directory"
egress = "blocked"
engine = "single"
