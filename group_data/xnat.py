"""Notebooks started from XNAT, on one host or many; a later version builds it."""

login = ["xnat"]
spawner = "swarm"
homes = "directory"
engine = "swarm"
