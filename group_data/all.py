"""Every setting's default. What each one means, its type and unit: docs/settings.md.

Set another value for one host (beside its name in the inventory), for a flavour (`group_data/FLAVOUR.py`
beside your inventory), or for all (`group_data/all.py` beside your inventory): the nearer to the host, the
stronger. A flavour's file here holds against your `all.py`, since a group is nearer than `all`.
"""

# --- The hub. One thing has no default: `public_url`, the address people type. --------------------

hub_name = "hub"  # part of every name made on the host; choose it once

# The axes. A flavour is a choice along them; see the other files here.
login = ["native"]
spawner = "docker"
homes = "directory"
edge = "nginx"
egress = "open"
engine = "single"

hub_db_url = ""  # SQLite on the host; for PostgreSQL a reference such as "env:HUB_DB_URL"
hub_db_upgrade = False
hub_mem_limit = "1G"
hub_config_dir = ""
hub_frame_ancestors: list[str] = []
hub_cut_servers = False

# --- Who may enter --------------------------------------------------------------------------------

users_admins = ["admin"]
users_allowed: list[str] = []  # empty: whoever signs up and is approved
users_banned: list[str] = []
users_oauth: dict[str, str] = {}
users_shares: list[dict[str, str]] = []

native_open_signup = False  # an admin approves who signs up
native_ask_email = True
native_min_password_length = 10
native_check_common_password = True
native_failed_logins = 5
native_lockout = 300

oauth_provider = "github"
oauth_client_id = ""
oauth_client_secret = ""
oauth_url = ""
oauth_allowed_organizations: list[str] = []
oauth_traits: dict[str, object] = {}

lti13_issuer = ""
lti13_client_ids: list[str] = []
lti13_authorize_url = ""
lti13_jwks_url = ""
lti13_username_claim = "email"
lti13_leeway = 10
lti13_max_age = 600
lti13_tool_name = "JupyterHub"

# --- Users' servers -------------------------------------------------------------------------------

server_image = "singleuser"  # the small JupyterLab that comes with Hubfleet
server_build = ""
server_volumes: list[dict[str, object]] = []
server_command: list[str] = []  # the image's own
server_environment: dict[str, str] = {}
server_home = "/home/jovyan"
server_default_url = "/lab"
server_uid = 1000  # jovyan of the Jupyter images
server_gid = 100
server_profile = "restricted"
server_devices: list[str] = []
server_mem_limit = "4G"
server_cpu_limit = 2
server_pids_limit = 2048
server_shm_size = "64M"
server_start_timeout = 120  # images are on the host before they are needed, so no download counts in
server_http_timeout = 120
server_active_limit = 0
server_concurrent_spawns = 100  # JupyterHub's own

shared_name = "lab"

cull_timeout = 1209600  # two weeks
cull_every = 600
cull_kernel_timeout = 1209600

# --- Users' files ---------------------------------------------------------------------------------

base_user_dir = "/srv/hubfleet/users"
base_user_dir_owner = "root"
base_user_dir_group = "root"
base_user_dir_mode = "0711"  # nobody lists who has a home here

# --- The edge -------------------------------------------------------------------------------------

tls_mode = "self_signed"
tls_cert = ""
tls_key = ""
tls_profile = "intermediate"

edge_http_port = 80
edge_max_upload = "2G"
edge_tunnel_timeout = 86400  # a notebook that computes all day says nothing on its WebSocket

# --- The container engine -------------------------------------------------------------------------

docker_source = "distribution"
docker_apt_url = ""
docker_apt_key = ""
docker_mirror: list[str] = []
docker_insecure_registries: list[str] = []
docker_log_max_size = "10M"
docker_log_max_files = 5
docker_live_restore = True
docker_address_pools = [{"base": "10.210.0.0/16", "size": 24}]
docker_daemon: dict[str, object] = {}

network_users_subnet = "10.217.0.0/20"  # its upper half is for servers: 2048 of them
network_core_subnet = "10.217.16.0/28"

image_source = "build"
image_repository = "hubfleet"
image_base = "debian:13-slim"
image_parts = ["science", "r", "latex", "git"]
image_apt: list[str] = []
image_julia_version = ""
image_julia_url = ""
image_julia_sha256 = ""

# --- The way out of a campus network --------------------------------------------------------------

outbound_proxy = ""
outbound_no_proxy: list[str] = []
extra_ca = ""
apt_mirror = ""
pypi_mirror = ""
npm_mirror = ""

# --- What is looked at before the first change ----------------------------------------------------

preflight_waive: list[str] = []
preflight_min_disk = "10G"
preflight_min_inodes = 100000
preflight_max_clock_skew = 60
