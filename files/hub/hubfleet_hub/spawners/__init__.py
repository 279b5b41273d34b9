"""Where notebooks run: one module a choice, each with ``configure(c, hub)``."""
