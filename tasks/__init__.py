"""What a host gets, one module a concern; each function takes its own part of the settings and reads top to bottom."""
