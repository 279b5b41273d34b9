"""What runs in a hub's containers: its configuration, logins, spawners, keeper of homes."""
