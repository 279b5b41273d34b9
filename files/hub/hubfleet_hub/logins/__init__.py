"""How people log in: one module a choice, each with ``configure(c, hub)``."""
