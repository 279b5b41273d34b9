"""Five labs, one a flavour: the commented manual. Copy it to a directory of your own and make it yours:

    ../lab/inventories/prod.py      your hosts, as below
    ../lab/inventories/group_data/  your values for a flavour or for all (the same files as here, only what differs)

    hubfleet check ../lab/inventories/prod.py     says all that is wrong, and contacts nothing
    hubfleet plan ../lab/inventories/prod.py      says what would change
    pyinfra ../lab/inventories/prod.py deploy.py  does it

An inventory is plain pyinfra: a list is a group, a group is a flavour, and a host is in one of them. What can be
set beside a host is in docs/settings.md; what is not set has the value in group_data/.
"""

from hubfleet.settings.check import check

# NeuroDesktop: people sign up, an admin approves them, each gets a desktop in a container of his own.
neurodesk = [
    (
        "neuro.example.org",  # how this machine reaches the host over SSH
        {
            # What people type. The certificate's names, redirects and callbacks follow from it. May be a bare
            # name or an address ("192.0.2.7"), and may hold a port and a path ("https://lab.example.org:8443/hub").
            "public_url": "https://neuro.example.org",
            # Each gets an account with a one-time password that only root on the host can read, before the hub can
            # be reached: nobody becomes admin by signing up first.
            "users_admins": ["ada", "grace"],
            # Where a home is a directory a user, named after him. An existing one keeps its owner and mode.
            "base_user_dir": "/data/neurodesk/users",
            # Images are named with a date or a digest. The deploy pulls them, so nobody waits at the first login.
            "server_image": "vnmd/neurodesktop:2026-08-14",
            "server_mem_limit": "16G",
            "server_active_limit": 12,  # 12 x 16G is what this host has
            # pyinfra's own keys: how to log in over SSH and become root.
            "ssh_user": "labadmin",
            "_sudo": True,
        },
    ),
]

# A class: students come from the university's LMS by LTI 1.3 and have no password here. Many small servers, files in a
# Docker volume a student, all gone from memory a day after the lesson.
classroom = [
    (
        "python101.example.org",
        {
            "public_url": "https://python101.example.org",
            # The four that the LMS's administrator knows. He in turn needs to know what the hub is: after the first run
            # that is in /var/lib/hubfleet/hub/lms.txt on the host, in the words of Moodle and of Canvas.
            "lti13_issuer": "https://moodle.example.org",
            "lti13_client_ids": ["kQ3cXw7oZr1LmYp"],
            "lti13_authorize_url": "https://moodle.example.org/mod/lti/auth.php",
            "lti13_jwks_url": "https://moodle.example.org/mod/lti/certs.php",
            # Who somebody is: `email` reads well, `sub` never changes. Admins are values of that claim.
            "lti13_username_claim": "email",
            "users_admins": ["lecturer@example.org"],
            # A new window needs nothing more. In a frame within the LMS's own page (which browsers that block other
            # sites' cookies, such as Safari and most private windows, do not let anybody log in at):
            # "hub_frame_ancestors": ["https://moodle.example.org"],
            # Without an LMS, people sign up here. An admin approves them, or nobody needs to:
            # "login": ["native"],
            # "native_open_signup": True,
            # "users_allowed": ["ann", "bob"],  # or only these may enter; the others' files stay
            # What every student sees and none can change. The directory is on the host already.
            # "server_volumes": [{"source": "/srv/python101", "target": "/home/jovyan/course"}],
            # More packages: a directory beside the inventory with a Dockerfile of yours that begins FROM Hubfleet's
            # JupyterLab (inventories/python101 is one). It is built on the host, and again when a file in it changes.
            # "server_build": "python101",
            # Or an image by name. Another one is another word here and a run: nobody logs in again, servers that run
            # go on with what they have, and the next start has the new one.
            # "server_image": "registry.example.org/python101:2026-09",
            "server_active_limit": 40,
            # A campus network: its proxy, its mirrors, its certificate authority (files are beside the inventory).
            # "outbound_proxy": "http://proxy.example.org:3128",
            # "outbound_no_proxy": [".example.org", "10.0.0.0/8"],
            # "extra_ca": "campus-ca.pem",
            # "docker_mirror": ["https://mirror.example.org"],
            # Docker's own networks, where the campus uses these ranges itself.
            # "docker_address_pools": [{"base": "172.30.0.0/16", "size": 24}],
            # A certificate of your own. The key is a secret: you say where it is, never what it is.
            # "tls_mode": "files",
            # "tls_cert": "python101.pem",
            # "tls_key": "age:python101.key.age",  # or "file:python101.key", or "env:PYTHON101_KEY"
        },
    ),
]

# A few colleagues as Linux users in the hub's own container: Python, R and LaTeX in one image, homes that can be
# opened to one another. They log in with a password, or with the GitHub account that is theirs.
personal = [
    (
        "team.example.org",
        {
            "public_url": "https://team.example.org",
            # The first admin, `jupyterhub`, has a one-time password on the host and sudo in his terminal. Others who
            # may enter: declared here, or added on the hub's admin page. `hubfleet passwd` gives somebody a password.
            "users_allowed": ["ada", "grace", "linus"],
            # GitHub beside the passwords: an OAuth application of yours, with https://team.example.org/hub/oauth_callback
            # as its callback URL. Who is named here reaches the same home either way; nobody else is let in by it.
            "login": ["pam", "oauth"],
            "oauth_client_id": "Iv1.0123456789abcdef",
            "oauth_client_secret": "env:TEAM_GITHUB_SECRET",
            "users_oauth": {"ada": "ada-lovelace"},
            # Homes opened to others; `hubfleet admin` does the same by a command.
            "users_shares": [{"home": "ada", "to": "grace", "access": "read"}],
            # What of the image you need; each part left out makes it smaller.
            "image_parts": ["science", "r", "latex", "git"],
            "hub_mem_limit": "32G",  # hub and everybody's notebooks together
        },
    ),
]

# One JupyterLab that all share, typing into the same notebooks, with no way out of it.
collaborative = [
    (
        "pad.example.org",
        {
            "public_url": "https://pad.example.org:8443",
            "users_admins": ["ada-lovelace"],
            # Logins at GitHub, or everybody in an organisation of yours. Taken off the list is out at the next run.
            "users_allowed": ["grace-hopper", "torvalds"],
            # "oauth_allowed_organizations": ["our-lab"],
            "oauth_client_id": "Iv1.fedcba9876543210",
            "oauth_client_secret": "env:PAD_GITHUB_SECRET",
        },
    ),
]

# --- What comes with a later version ---------------------------------------------------------------------------
# Notebooks started from XNAT, with its accounts, over one or many hosts; `hubfleet check` says so if you use it.
#
# xnat = [("xnat.example.org", {"public_url": "https://xnat.example.org/jupyterhub"})]

# The last line: all hosts are judged before any is contacted, and every mistake is told at once.
check(__file__)
