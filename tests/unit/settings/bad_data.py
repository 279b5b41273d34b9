"""Bad host data of many kinds: what a host is given, and every line that is to be said about it.

`{here}` is the inventory's directory, `{name}` the host's name, `{ended}` the day a certificate ran out,
`{findings}` what preflight finds.
"""

# ruff: noqa: E501 -- the lines are as long as people see them

from typing import Any

LTI13: dict[str, Any] = {
    "login": ["lti13"],
    "lti13_issuer": "https://lms.example.org",
    "lti13_client_ids": ["hub"],
    "lti13_authorize_url": "https://lms.example.org/auth",
    "lti13_jwks_url": "https://lms.example.org/certs",
}

OAUTH: dict[str, Any] = {
    "login": ["oauth"],
    "users_admins": ["ada"],
    "oauth_client_id": "id",
    "oauth_client_secret": "file:text.pem",
}

CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    # wrong type
    (
        "a text for a number",
        {"server_pids_limit": "100"},
        ["server_pids_limit = '100': is not a whole number; write it without quotes, such as 80"],
    ),
    ("a number for a text", {"hub_name": 5}, ["hub_name = 5: is not text; write it in quotes"]),
    (
        "a text for True or False",
        {"docker_live_restore": "yes"},
        ["docker_live_restore = 'yes': is neither True nor False; write True or False, without quotes"],
    ),
    (
        "a number for True or False",
        {"native_open_signup": 1},
        ["native_open_signup = 1: is neither True nor False; write True or False, without quotes"],
    ),
    (
        "a text for a list",
        {"users_admins": "ada"},
        ["users_admins = 'ada': is not a list; write it in square brackets, such as ['ann', 'bob']"],
    ),
    (
        "a tuple for a list",
        {"users_allowed": ("ann",)},
        ["users_allowed = a tuple: is not a list; write it in square brackets, such as ['ann', 'bob']"],
    ),
    (
        "a list for a dictionary",
        {"server_environment": ["A=b"]},
        ["server_environment = ['A=b']: is not a dictionary; write it in braces, such as {{'KEY': 'value'}}"],
    ),
    (
        "a number in a list of texts",
        {"users_banned": ["ann", 5]},
        ["users_banned[1] = 5: is not text; write it in quotes"],
    ),
    (
        "a number in the environment",
        {"server_environment": {"THREADS": 4}},
        ["server_environment.THREADS = 4: is not text; write it in quotes"],
    ),
    ("None", {"tls_cert": None}, ["tls_cert = None: is not text; write it in quotes"]),
    (
        "a float for a whole number",
        {"cull_every": 60.5},
        ["cull_every = 60.5: is not a whole number; write it without quotes, such as 80"],
    ),
    (
        "a pool that is no dictionary",
        {"docker_address_pools": ["10.0.0.0/8"]},
        [
            "docker_address_pools[0] = '10.0.0.0/8': is not a dictionary; write it in braces, such as {{'base': '10.210.0.0/16', 'size': 24}}"
        ],
    ),
    (
        "an unknown key in a pool",
        {"docker_address_pools": [{"base": "10.210.0.0/16", "sise": 24}]},
        [
            "docker_address_pools[0].size: is not set; add it",
            "docker_address_pools[0].sise = 24: is not known here; leave it out, or correct its name",
        ],
    ),
    (
        "what JSON cannot hold",
        {"docker_daemon": {"dns": {"192.0.2.1"}}},
        [
            "docker_daemon = a dictionary: holds what JSON cannot; use text, numbers, True, False, lists and dictionaries"
        ],
    ),
    # wrong value
    (
        "a size with an odd unit",
        {"server_mem_limit": "80x"},
        ["server_mem_limit = '80x': is not a size; write a number of bytes or a text such as '512M' or '8G'"],
    ),
    (
        "a size of nothing",
        {"edge_max_upload": 0},
        ["edge_max_upload = 0: must be more than nothing; write a size such as '512M' or '8G'"],
    ),
    (
        "too little memory",
        {"server_mem_limit": "100M"},
        ["server_mem_limit = '100M': is less than Jupyter starts in; give at least '256M'"],
    ),
    ("a negative number", {"server_cpu_limit": -1}, ["server_cpu_limit = -1: is too small; give more than 0"]),
    (
        "a number too small",
        {"native_min_password_length": 4},
        ["native_min_password_length = 4: is too small; give at least 8"],
    ),
    ("a port too large", {"edge_http_port": 70000}, ["edge_http_port = 70000: is too large; give at most 65535"]),
    (
        "no such choice, but near one",
        {"docker_source": "distributon"},
        ["docker_source = 'distributon': is no such choice; did you mean 'distribution'?"],
    ),
    (
        "no such choice at all",
        {"server_profile": "root"},
        ["server_profile = 'root': is no such choice; choose restricted, desktop or privileged"],
    ),
    (
        "a choice of a later version",
        {"tls_mode": "acme"},
        ["tls_mode = 'acme': 'acme' comes with a later version; this version has: self_signed or files"],
    ),
    ("no admin", {"users_admins": []}, ["users_admins = []: is empty; name at least one"]),
    (
        "a user name in upper case",
        {"users_admins": ["Ada"]},
        [
            "users_admins[0] = 'Ada': is no user name; write 1 to 128 characters in lower case, as JupyterHub keeps names"
        ],
    ),
    (
        "a user name with a space",
        {"users_allowed": ["ada lovelace"]},
        ["users_allowed[0] = 'ada lovelace': holds a space, ',' or '/'; write the name as it is typed at login"],
    ),
    (
        "a hub's name with an underscore",
        {"hub_name": "my_hub"},
        [
            "hub_name = 'my_hub': cannot be part of a container's name; write 1 to 24 lower-case letters, digits and single hyphens, beginning with a letter"
        ],
    ),
    (
        "a relative path on the host",
        {"base_user_dir": "users"},
        ["base_user_dir = 'users': is not an absolute path; write one on the host, such as /srv/hubfleet/users"],
    ),
    (
        "a path that climbs",
        {"base_user_dir": "/srv/../etc"},
        ["base_user_dir = '/srv/../etc': holds '..', ':' or an unprintable character; write a plain absolute path"],
    ),
    (
        "a directory of the system",
        {"base_user_dir": "/tmp/users"},
        ["base_user_dir = '/tmp/users': is inside /tmp, the system's own; choose one such as /srv/hubfleet/users"],
    ),
    (
        "a directory that is not the hub's alone",
        {"base_user_dir": "/home"},
        ["base_user_dir = '/home': is not the hub's alone; choose a directory in it, such as /home/hub"],
    ),
    (
        "a mode as a number",
        {"base_user_dir_mode": 711},
        ["base_user_dir_mode = 711: is not a file mode; write it in octal as text, such as '0711'"],
    ),
    (
        "a mode that lets everyone write",
        {"base_user_dir_mode": "0777"},
        ["base_user_dir_mode = '0777': lets anyone on the host write there; use '0711' or '0755'"],
    ),
    (
        "an image without a tag",
        {"server_image": "vnmd/neurodesktop"},
        [
            "server_image = 'vnmd/neurodesktop': has no tag; name a tag or a digest, such as vnmd/neurodesktop:2026-08-14"
        ],
    ),
    (
        "an image with the tag latest",
        {"server_image": "vnmd/neurodesktop:latest"},
        [
            "server_image = 'vnmd/neurodesktop:latest': means something else each day with `latest`; name a dated tag or a digest"
        ],
    ),
    (
        "a part twice",
        {"image_parts": ["r", "git", "r"]},
        ["image_parts = ['r', 'git', 'r']: names a part twice; leave one out"],
    ),
    (
        "a part that there is not",
        {"image_parts": ["rust"]},
        ["image_parts[0] = 'rust': is no such choice; choose science, r, latex or git"],
    ),
    (
        "a package that is none",
        {"image_apt": ["r-cran-lme4", "--reinstall bash"]},
        ["image_apt[1] = '--reinstall bash': is not the name of a Debian package; write one such as r-cran-lme4"],
    ),
    (
        "Julia without its address and checksum",
        {"image_julia_version": "1.12.1"},
        [
            "image_julia_url = '': is needed for Julia; write where its archive is, or leave all three image_julia_* out",
            "image_julia_sha256 = '': is needed for Julia; write the archive's SHA-256, or leave all three image_julia_* out",
        ],
    ),
    (
        "a checksum that is none",
        {
            "image_julia_version": "1.12.1",
            "image_julia_url": "https://example.org/julia.tar.gz",
            "image_julia_sha256": "0123abcd",
        },
        ["image_julia_sha256 = '0123abcd': is no SHA-256; write its 64 hexadecimal digits, as sha256sum prints them"],
    ),
    (
        "no image at all",
        {"server_image": "Neuro Desktop"},
        ["server_image = 'Neuro Desktop': is not the name of an image; write one such as vnmd/neurodesktop:2026-08-14"],
    ),
    (
        "a page that is no path",
        {"server_default_url": "lab"},
        ["server_default_url = 'lab': is not the path of a page; write one such as /lab or /tree"],
    ),
    (
        "a variable of JupyterHub's own",
        {"server_environment": {"JUPYTERHUB_API_TOKEN": "x"}},
        ["server_environment.JUPYTERHUB_API_TOKEN: is set by JupyterHub itself; leave it out"],
    ),
    (
        "a mirror without a scheme",
        {"docker_mirror": ["mirror.example.org"]},
        [
            "docker_mirror[0] = 'mirror.example.org': is not a whole URL; write one such as https://mirror.example.org/path"
        ],
    ),
    (
        "a password in a URL",
        {"outbound_proxy": "http://lab:hunter2@proxy.example.org:3128"},
        [
            "outbound_proxy = 'http://***@proxy.example.org:3128': holds a name or password, which would end up in files and logs; use an address without"
        ],
    ),
    (
        "a registry with a scheme",
        {"docker_insecure_registries": ["http://registry:5000"]},
        [
            "docker_insecure_registries[0] = 'http://registry:5000': is not a registry; write host:port, such as registry.example.org:5000, without http://"
        ],
    ),
    (
        "a public network",
        {"network_users_subnet": "8.8.8.0/24"},
        ["network_users_subnet = '8.8.8.0/24': is not a private network; choose one such as 10.217.0.0/20"],
    ),
    (
        "a network too small",
        {"network_core_subnet": "10.217.16.0/30"},
        ["network_core_subnet = '10.217.16.0/30': is too small; give a /28 or larger"],
    ),
    (
        "a network with host bits",
        {"network_core_subnet": "10.217.16.5/28"},
        [
            "network_core_subnet = '10.217.16.5/28': is not an IPv4 network; write one with its prefix, such as 10.217.0.0/20"
        ],
    ),
    (
        "an unknown finding",
        {"preflight_waive": ["ports"]},
        ["preflight_waive = ['ports']: has 'ports', no finding of preflight; choose from {findings}"],
    ),
    # public_url
    (
        "no address",
        {"public_url": ""},
        ["public_url = '': is no address; write what people will type, such as https://hub.example.org"],
    ),
    (
        "another scheme",
        {"public_url": "ftp://hub.example.org"},
        [
            "public_url = 'ftp://hub.example.org': is not reached over https; write an address such as https://hub.example.org"
        ],
    ),
    (
        "a port out of range",
        {"public_url": "https://hub.example.org:99999"},
        [
            "public_url = 'https://hub.example.org:99999': has no valid port; write a number from 1 to 65535 after the colon"
        ],
    ),
    (
        "a query",
        {"public_url": "https://hub.example.org/?next=/lab"},
        [
            "public_url = 'https://hub.example.org/?next=/lab': holds more than an address; write only scheme, host, port and path, such as https://hub.example.org:8443/lab"
        ],
    ),
    (
        "a host that cannot be",
        {"public_url": "https://hub_1.example.org"},
        [
            "public_url = 'https://hub_1.example.org': has neither a host name nor an IP address; write one such as https://hub.example.org"
        ],
    ),
    (
        "an address with too few numbers",
        {"public_url": "192.0.2"},
        [
            "public_url = '192.0.2': has neither a host name nor an IP address; write one such as https://hub.example.org"
        ],
    ),
    (
        "plain http",
        {"public_url": "http://hub.example.org"},
        [
            "public_url = 'http://hub.example.org': is not https, so passwords would cross the network in clear; write https://"
        ],
    ),
    # what does not fit together
    (
        "someone admitted and banned",
        {"users_banned": ["admin"]},
        ["users_banned = ['admin']: has admin, who may enter by another list; choose one"],
    ),
    (
        "linux passwords without linux users",
        {"login": ["pam"]},
        [
            "spawner = 'docker': does not fit login = pam, as the users are Linux users of the hub's own container; choose 'local'",
        ],
    ),
    (
        "linux users whose homes are elsewhere",
        {"spawner": "local", "server_home": "/home/jovyan"},
        [
            "server_home = '/home/jovyan': is not where Linux users have their homes; choose '/home'",
        ],
    ),
    (
        "shares among people who are no linux users",
        {"users_shares": [{"home": "ada", "to": "grace", "access": "read"}]},
        [
            "users_shares = a list: is for people who are Linux users; set spawner = 'local', or leave it empty",
        ],
    ),
    (
        "names that Linux users cannot have",
        {
            "spawner": "local",
            "server_home": "/home",
            "users_admins": ["root"],
            "users_allowed": ["ada.lovelace", "x" * 64, "hubfleet-x"],
        },
        [
            "users_admins = ['root']: has 'root', which is a name that the system has for itself; choose another name for this person",
            "users_allowed = a list: has 'ada.lovelace', which is no name of a Linux user: letters a-z, digits, - and _, a letter first; choose another name for this person",
            f"users_allowed = a list: has '{'x' * 64}', which is longer than the 63 characters of a Linux user's name; choose another name for this person",
            "users_allowed = a list: has 'hubfleet-x', which is a name that the system has for itself; choose another name for this person",
        ],
    ),
    (
        "people who are somebody else at the provider, confused",
        OAUTH
        | {"login": ["native", "oauth"], "users_oauth": {"github-bob": "bob", "ada": "Lovelace", "eve": "lovelace"}},
        [
            "users_oauth = a dictionary: has github-bob, as people of github are called; leave out the github-",
            "users_oauth = a dictionary: has lovelace for ada and for eve; a login is one person's",
        ],
    ),
    (
        "shares with nobody, with oneself, and twice",
        {
            "spawner": "local",
            "server_home": "/home",
            "users_allowed": ["ada", "grace"],
            "users_shares": [
                {"home": "ada", "to": "greace", "access": "read"},
                {"home": "ada", "to": "ada", "access": "read"},
                {"home": "ada", "to": "grace", "access": "read"},
                {"home": "ada", "to": "grace", "access": "write"},
            ],
        },
        [
            "users_shares = a list: has greace, who may not log in; add them to users_allowed, or take them out",
            "users_shares = a list: gives ada their own home; name somebody else",
            "users_shares = a list: opens the home of ada to grace twice; leave one out",
        ],
    ),
    (
        "a share with somebody who is banned",
        {
            "spawner": "local",
            "server_home": "/home",
            "users_banned": ["grace"],
            "users_shares": [{"home": "ada", "to": "grace", "access": "read"}],
        },
        ["users_shares = a list: has grace, who may not log in; add them to users_allowed, or take them out"],
    ),
    (
        "a share of another kind",
        {"users_shares": [{"home": "ada", "to": "grace", "access": "rwx"}]},
        ["users_shares[0].access = 'rwx': is no such choice; choose read or write"],
    ),
    (
        "a swarm's spawner without a swarm",
        {"spawner": "swarm"},
        [
            "spawner = 'swarm': 'swarm' comes with a later version; this version has: docker, local or shared",
            "engine = 'single': does not fit spawner = swarm, as services need a swarm; choose 'swarm'",
        ],
    ),
    (
        "strangers with rights over the host",
        {"native_open_signup": True, "server_profile": "desktop"},
        [
            "server_profile = 'desktop': does not fit native_open_signup = True, as strangers would get rights over the host; choose 'restricted'"
        ],
    ),
    (
        "shared memory beyond memory",
        {"server_shm_size": "64G"},
        ["server_shm_size = '64G': is more than server_mem_limit, which it counts to; make it smaller"],
    ),
    (
        "looking too rarely for what is idle",
        {"cull_timeout": 60},
        ["cull_every = 600: is longer than cull_timeout, so servers would idle longer; look more often"],
    ),
    (
        "networks that overlap",
        {"network_core_subnet": "10.217.8.0/28"},
        ["network_core_subnet = '10.217.8.0/28': overlaps network_users_subnet; give two separate networks"],
    ),
    (
        "a pool over the hub's network",
        {"docker_address_pools": [{"base": "10.0.0.0/8", "size": 24}]},
        [
            "docker_address_pools = a list: has 10.0.0.0/8, which overlaps network_users_subnet; keep them apart",
            "docker_address_pools = a list: has 10.0.0.0/8, which overlaps network_core_subnet; keep them apart",
        ],
    ),
    (
        "a pool smaller than its networks",
        {"docker_address_pools": [{"base": "10.210.0.0/24", "size": 16}]},
        ["docker_address_pools = a list: cannot cut networks of /16 from 10.210.0.0/24; give a size from 24 to 30"],
    ),
    (
        "the redirect on the hub's port",
        {"edge_http_port": 443},
        ["edge_http_port = 443: is the port of public_url too; choose another, or 0 for no redirect"],
    ),
    (
        "users as the hub's own account",
        {"server_uid": 40740},
        ["server_uid = 40740: is the hub's own, so users could read its secrets; choose another"],
    ),
    (
        "a key of daemon.json with its own setting",
        {"docker_daemon": {"live-restore": False}},
        ["docker_daemon = a dictionary: sets 'live-restore', which Hubfleet sets; use docker_live_restore"],
    ),
    # files
    (
        "tls files without files",
        {"tls_mode": "files"},
        [
            "tls_cert = '': is needed with tls_mode 'files'; name the PEM file of certificate and chain",
            "tls_key = '': is needed with tls_mode 'files'; name where the certificate's key is: file:, env:, age:",
        ],
    ),
    (
        "a certificate that is not used",
        {"tls_cert": "hub.pem"},
        ["tls_cert = 'hub.pem': is not used with tls_mode 'self_signed'; set tls_mode = 'files', or leave it out"],
    ),
    (
        "a certificate that is not there",
        {"tls_mode": "files", "tls_cert": "none.pem", "tls_key": "file:none.key"},
        [
            "tls_cert = 'none.pem': cannot be read from {here}/none.pem: No such file or directory; check the path and its mode",
            "tls_key = 'file:none.key': cannot be read from {here}/none.key: No such file or directory; check the path and its mode",
        ],
    ),
    (
        "a certificate for another name",
        {"tls_mode": "files", "tls_cert": "other.pem", "tls_key": "file:other.key"},
        ["tls_cert = 'other.pem': is for other.example.org and not for {name}.example.org; get one that names it"],
    ),
    (
        "a certificate that ran out",
        {
            "public_url": "https://old.example.org",
            "tls_mode": "files",
            "tls_cert": "old.pem",
            "tls_key": "file:old.key",
        },
        ["tls_cert = 'old.pem': ran out on {ended}; get a new certificate"],
    ),
    (
        "a key of another certificate",
        {
            "public_url": "https://other.example.org",
            "tls_mode": "files",
            "tls_cert": "other.pem",
            "tls_key": "file:old.key",
        },
        ["tls_key = 'file:old.key': does not belong to the certificate in tls_cert; name the key it was made with"],
    ),
    (
        "a certificate that is none",
        {"tls_mode": "files", "tls_cert": "text.pem", "tls_key": "file:text.pem"},
        [
            "tls_cert = 'text.pem': holds no certificate in PEM form; name the file of certificate and chain",
            "tls_key = 'file:text.pem': is no private key in PEM form; name the file that the certificate was made with",
        ],
    ),
    (
        "authorities that are none",
        {"extra_ca": "text.pem"},
        ["extra_ca = 'text.pem': holds no certificate in PEM form; name a file of the authorities' certificates"],
    ),
    (
        "docker's repository without its key",
        {"docker_source": "docker", "docker_apt_url": "https://apt.example.org"},
        ["docker_apt_key = '': is needed with docker_source 'docker'; name the file of its signing key"],
    ),
    (
        "a signing key that is none",
        {"docker_source": "docker", "docker_apt_url": "https://apt.example.org", "docker_apt_key": "text.pem"},
        ["docker_apt_key = 'text.pem': is no armoured PGP public key; export one with gpg --armor --export"],
    ),
    (
        "a directory of one's own that is none",
        {"hub_config_dir": "none.d"},
        ["hub_config_dir = 'none.d': is no directory: {here}/none.d; make it, or correct the path"],
    ),
    (
        "python of one's own that is none",
        {"hub_config_dir": "broken.d"},
        ["hub_config_dir = 'broken.d': 10-mine.py line 2 is not Python (expected ':'); mend it"],
    ),
    # an LMS
    (
        "launches from nowhere",
        {"login": ["lti13"]},
        [
            "lti13_issuer = '': is needed with login 'lti13'; write the LMS's issuer (platform id): its administrator knows it",
            "lti13_client_ids = []: is needed with login 'lti13'; write the client ids that the LMS gave this hub: its administrator knows it",
            "lti13_authorize_url = '': is needed with login 'lti13'; write the LMS's authentication request URL: its administrator knows it",
            "lti13_jwks_url = '': is needed with login 'lti13'; write the LMS's public keyset URL: its administrator knows it",
        ],
    ),
    (
        "launches that anyone on the way can change",
        LTI13 | {"lti13_jwks_url": "http://lms.example.org/certs", "lti13_client_ids": ["hub", ""]},
        [
            "lti13_jwks_url = 'http://lms.example.org/certs': is not https, so a stranger on the way could be anybody here; write the https:// one",
            "lti13_client_ids = ['hub', '']: has an empty entry; leave it out",
        ],
    ),
    (
        "an LMS that nobody comes from",
        {"lti13_issuer": "https://lms.example.org"},
        [
            "lti13_issuer = 'https://lms.example.org': is not used without login 'lti13'; add it to login, or leave the key out"
        ],
    ),
    (
        "a launch that names nobody",
        LTI13 | {"lti13_username_claim": ""},
        ["lti13_username_claim = '': names no claim; write one such as 'email' or 'sub'"],
    ),
    (
        "a claim that two people can have",
        LTI13 | {"lti13_username_claim": "given_name"},
        [
            "lti13_username_claim = 'given_name': can be several people's, who would share a home, and people may change it; use 'sub', 'email' or a custom field ('custom_NAME')"
        ],
    ),
    (
        "an OAuth login of which nothing is known",
        {"login": ["oauth"], "users_admins": ["ada"]},
        [
            "oauth_client_id = '': is needed with login 'oauth'; the provider shows it where you register the hub there",
            "oauth_client_secret = '': is needed with login 'oauth'; the provider shows it where you register the hub there",
        ],
    ),
    (
        "an OAuth client of no login",
        {"oauth_client_id": "id"},
        ["oauth_client_id = 'id': is not used without login 'oauth'; add it to login, or leave the key out"],
    ),
    (
        "an OAuth secret that the provider would not know",
        OAUTH | {"oauth_client_secret": "generate"},
        [
            "oauth_client_secret = 'generate': cannot be generated; name where the secret is that the provider gave",
        ],
    ),
    (
        "a provider of a lab's own that is not safe, and organisations where there are none",
        OAUTH | {"oauth_url": "http://git.example.org"},
        [
            "oauth_url = 'http://git.example.org': is not https, so a stranger on the way could be anybody; write the https:// one"
        ],
    ),
    (
        "what a provider does not have",
        OAUTH
        | {"oauth_provider": "google", "oauth_url": "https://git.example.org", "oauth_allowed_organizations": ["lab"]},
        [
            "oauth_url = 'https://git.example.org': is for github, gitlab or openshift; google is told its addresses in oauth_traits",
            "oauth_allowed_organizations = ['lab']: is for bitbucket, github, gitlab or globus; google has others in oauth_traits",
        ],
    ),
    (
        "everybody in the world",
        OAUTH | {"oauth_traits": {"allow_all": True}},
        ["oauth_traits = a dictionary: lets in everybody who has an account at the provider; name whom you mean"],
    ),
    (
        "an admin who is somebody else at the provider",
        OAUTH | {"users_admins": ["admin"]},
        ["users_admins = ['admin']: has admin, whoever that is at the provider; write your own login there"],
    ),
    (
        "a JupyterLab for all that one person shares",
        OAUTH | {"spawner": "shared", "server_image": "singleuser", "server_profile": "restricted"},
        ["users_allowed = []: is empty, so ada alone would share; write the others' logins"],
    ),
    (
        "an image of one's own for the JupyterLab that all share",
        {"spawner": "shared", "server_image": "jupyter/base-notebook:1", "server_profile": "restricted"},
        [
            "server_image = 'jupyter/base-notebook:1': does not fit spawner = shared, whose JupyterLab is Hubfleet's own; leave it out"
        ],
    ),
    (
        "a frame that anyone on the way can change",
        {"hub_frame_ancestors": ["http://lms.example.org"]},
        [
            "hub_frame_ancestors = ['http://lms.example.org']: has http://lms.example.org, whose pages anyone on the way can change; use https"
        ],
    ),
    (
        "a frame in clear",
        {
            "public_url": "http://lab.example.org:8000",
            "hub_frame_ancestors": ["https://lms.example.org"],
            "tls_mode": "external",
        },
        [
            "tls_mode = 'external': 'external' comes with a later version; this version has: self_signed or files",
            "hub_frame_ancestors = ['https://lms.example.org']: needs a public_url with https: in a frame, browsers keep no other cookie",
        ],
    ),
    # volumes
    (
        "a volume that is neither path nor name",
        {"server_volumes": [{"source": "course material", "target": "/course"}]},
        ["server_volumes = a list: has 'course material', neither an absolute path nor a volume's name; correct it"],
    ),
    (
        "the system for everybody to see",
        {"server_volumes": [{"source": "/var", "target": "/course"}]},
        ["server_volumes = a list: shows users /var, the system's own; name another directory"],
    ),
    (
        "two things in one place",
        {
            "server_volumes": [
                {"source": "/srv/course", "target": "/home/jovyan"},
                {"source": "/srv/../course", "target": "/course"},
            ]
        },
        [
            "server_volumes = a list: puts /srv/course at /home/jovyan, where server_home is; choose another",
            "server_volumes = a list: has /srv/../course, which climbs with '..'; write the directory itself",
        ],
    ),
    # an image of one's own
    (
        "a directory to build from that is none",
        {"server_build": "none.d", "server_image": "singleuser"},
        ["server_build = 'none.d': is no directory: {here}/none.d; make it, or correct the path"],
    ),
    (
        "a directory without a Dockerfile",
        {"server_build": "broken.d", "server_image": "singleuser"},
        [
            "server_build = 'broken.d': has no Dockerfile in {here}/broken.d; add one that begins with ARG BASE_IMAGE and FROM ${{BASE_IMAGE}}"
        ],
    ),
    (
        "an image that is built and another by name",
        {"server_build": "course.d", "server_image": "me/course:1"},
        ["server_image = 'me/course:1': is another image than the one of server_build; leave one of the two out"],
    ),
    (
        "data in an image",
        {"server_build": "heavy.d", "server_image": "singleuser"},
        ["server_build = 'heavy.d': holds 65 MiB, more than 64; leave data to server_volumes"],
    ),
    # secrets
    (
        "a secret in place of a reference",
        {
            "tls_mode": "files",
            "tls_cert": "other.pem",
            "public_url": "https://other.example.org:1443",
            "tls_key": "hunter2-hunter2",
        },
        [
            "tls_key: is not a reference to a secret; write where it is, never the secret itself: 'env:VARIABLE', 'file:PATH', 'age:PATH' or 'generate'"
        ],
    ),
    (
        "a database's URL in place of a reference",
        {"hub_db_url": "postgresql://hub:hunter2@db/hub"},
        [
            "hub_db_url: is not a reference to a secret; write where it is, never the secret itself: 'env:VARIABLE', 'file:PATH', 'age:PATH' or 'generate'"
        ],
    ),
    (
        "a variable that is not set",
        {"hub_db_url": "env:HUBFLEET_TEST_UNSET"},
        [
            "hub_db_url = 'env:HUBFLEET_TEST_UNSET': needs the environment variable HUBFLEET_TEST_UNSET, which is not set; export it before the run"
        ],
    ),
    (
        "a URL that cannot be made up",
        {"hub_db_url": "generate"},
        ["hub_db_url = 'generate': cannot be generated; name where the database's URL is, or leave it empty"],
    ),
    (
        "a secret too large",
        {"hub_db_url": "file:large"},
        ["hub_db_url = 'file:large': is larger than 64 KiB; is {here}/large the right file?"],
    ),
    (
        "a secret under an unknown key",
        {"admin_password": "hunter2-hunter2"},
        ["admin_password: is no key; see docs/settings.md; data of your own begins with _"],
    ),
    # keys
    (
        "a key mistyped",
        {"sever_mem_limit": "8G"},
        ["sever_mem_limit = '8G': is no key; did you mean server_mem_limit?"],
    ),
    (
        "a key of nobody",
        {"colour": "blue"},
        ["colour = 'blue': is no key; see docs/settings.md; data of your own begins with _"],
    ),
    (
        "a key of an original",
        {"BASE_USER_DIR": "/data"},
        ["BASE_USER_DIR = '/data': is no key of Hubfleet; use base_user_dir"],
    ),
    (
        "a key of an original with another meaning now",
        {"LTI13_ENDPOINT": "https://lms.example.org"},
        ["LTI13_ENDPOINT = 'https://lms.example.org': is no key of Hubfleet; use lti13_jwks_url"],
    ),
    (
        "jupyterhub's own name",
        {"admin_users": {"ada"}},
        ["admin_users = a set: is no key of Hubfleet; use users_admins"],
    ),
    (
        "a key of a later version",
        {"swarm_role": "manager"},
        ["swarm_role = 'manager': is no key of this version; a swarm comes with a later one"],
    ),
    ("pyinfra's own key mistyped", {"ssh_usr": "root"}, ["ssh_usr = 'root': is no key; did you mean ssh_user?"]),
    ("pyinfra's argument mistyped", {"_sudoo": True}, ["_sudoo = True: is no key; did you mean _sudo?"]),
    (
        "pyinfra's own key with a wrong type",
        {"ssh_connect_retries": "3"},
        ["ssh_connect_retries = '3': is not what pyinfra takes; give it as int"],
    ),
]
