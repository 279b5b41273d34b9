"""A few colleagues as Linux users inside the hub's own container; a later version builds it."""

login = ["pam", "oauth"]
spawner = "local"
homes = "directory"
engine = "single"
