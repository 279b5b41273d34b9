"""A few colleagues as Linux users inside the hub's own container, with Python, R and LaTeX in one image."""

login = ["pam"]  # with GitHub beside it: ["pam", "oauth"], and oauth_client_id and oauth_client_secret
spawner = "local"
homes = "directory"
engine = "single"

users_admins = ["jupyterhub"]
server_home = "/home"
hub_mem_limit = "8G"  # hub and everybody's servers together
base_user_dir_mode = "0755"
