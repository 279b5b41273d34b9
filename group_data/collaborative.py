"""One JupyterLab that all share and edit together, with no way out."""

login = ["oauth"]
spawner = "shared"
homes = "directory"
egress = "blocked"
engine = "single"
