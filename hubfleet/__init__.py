"""Hubfleet puts JupyterHubs on the machines a lab owns: settings, facts, operations and verbs on top of pyinfra."""

__version__ = "0.1.0"
