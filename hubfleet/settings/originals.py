"""Names that people bring from elsewhere, and the key to use instead. Hubfleet never renames a key
silently.
"""

RENAMED: dict[str, str] = {
    # NeuroDesktop JupyterHub (wieluk/jupyterhub-neurodesk), and what its image reads
    "BASE_USER_DIR": "use base_user_dir",
    "JUPYTERHUB_CONFIG": "put your own *.py into a directory and name it in hub_config_dir",
    "NB_UID": "use server_uid",
    "NB_GID": "use server_gid",
    "GRANT_SUDO": "set it in server_environment",
    "CVMFS_DISABLE": "set it in server_environment",
    "NEURODESKTOP_VERSION": "it is the tag in server_image",
    "SLACK_WEBHOOK_URL": "notifications come with a later version",
    "F2B_DB_PURGE_AGE": "fail2ban comes with a later version",
    # Personal JupyterHub (joedeandev/personal-jupyterhub)
    "GITHUB_CALLBACK_URL": "it follows from public_url",
    "GITHUB_CLIENT_ID": "use oauth_client_id",
    "GITHUB_CLIENT_SECRET": "use oauth_client_secret",
    "OAUTH_CALLBACK_URL": "it follows from public_url",
    # jupyterhub-deploy-docker and its LTI 1.3 branch (martinclaus)
    "JUPYTERHUB_ADMIN": "use users_admins",
    "DOCKER_NETWORK_NAME": "networks are made and named by Hubfleet; choose addresses by network_users_subnet",
    "DOCKER_NOTEBOOK_IMAGE": "use server_image",
    "DOCKER_NOTEBOOK_DIR": "use server_home",
    "DOCKER_SPAWN_CMD": "use server_command",
    "LTI13_USERNAME_KEY": "use lti13_username_claim",
    "LTI13_AUTHORIZE_URL": "use lti13_authorize_url",
    "LTI13_CLIENT_ID": "use lti13_client_ids",
    "LTI13_ENDPOINT": "use lti13_jwks_url",
    "LTI13_TOKEN_URL": "leave it out: nothing reads it",
    # XNAT's hub (NrgXnat/xnat-jupyterhub-image)
    "JH_UID": "leave it out: the hub has an account of its own, the same on every host",
    "JH_GID": "leave it out: the hub has an account of its own, the same on every host",
    "JH_NETWORK": "networks are made and named by Hubfleet; choose addresses by network_users_subnet",
    "JH_START_TIMEOUT": "use server_start_timeout",
    "JH_HTTP_TIMEOUT": "use server_http_timeout",
    "JH_TLS_CA_CERT": "use extra_ca",
    "JH_TLS_VERIFY": "leave it out: certificates are always verified; add an authority by extra_ca",
    "JH_TLS_CLIENT_CERT": "a swarm comes with a later version",
    "JH_TLS_CLIENT_KEY": "a swarm comes with a later version",
    "JH_XNAT_URL": "login through XNAT comes with a later version, as xnat_url",
    "JH_XNAT_SERVICE_TOKEN": "login through XNAT comes with a later version",
    "JH_XNAT_USERNAME": "login through XNAT comes with a later version",
    "JH_XNAT_PASSWORD": "login through XNAT comes with a later version",
    # JupyterHub's own names
    "ADMIN_USERS": "use users_admins",
    "ALLOWED_USERS": "use users_allowed",
    "BLOCKED_USERS": "use users_banned",
    "ALLOW_ALL": "leave users_allowed empty",
    "MEM_LIMIT": "use server_mem_limit",
    "CPU_LIMIT": "use server_cpu_limit",
    "SHM_SIZE": "use server_shm_size",
    "OPEN_SIGNUP": "use native_open_signup",
    "SSL_CERT": "use tls_cert",
    "SSL_KEY": "use tls_key",
    "DOMAIN": "use public_url",
    "HOSTNAME": "use public_url",
}
"""Keys of the systems that Hubfleet replaces, in upper case, each with what to do."""

LATER: dict[str, str] = {
    "xnat_": "login through XNAT",
    "swarm_": "a swarm",
    "haproxy_": "haproxy",
    "acme_": "certificates by ACME",
    "egress_": "rules for outgoing connections",
    "fail2ban_": "fail2ban",
    "ban_": "fail2ban",
    "notify_": "notifications",
    "slack_": "notifications",
    "backup_": "backup and restore",
    "cvmfs_": "CVMFS on the host",
    "discovery_": "discovery of images",
}
"""What keys of features that are not built yet begin with, each with the feature's name."""
