"""What an LMS's administrator is told to enter."""

from collections.abc import Callable

import pytest

from hubfleet_hub.config import HubConfig
from hubfleet_hub.lms import sheet

Make = Callable[..., HubConfig]

LTI13 = {
    "issuer": "https://moodle.example.org",
    "client_ids": ["first", "second"],
    "authorize_url": "https://moodle.example.org/mod/lti/auth.php",
    "jwks_url": "https://moodle.example.org/mod/lti/certs.php",
    "username_claim": "email",
    "leeway": 10,
    "max_age": 600,
    "tool_name": "Python 101",
}


def test_the_sheet_has_every_address_that_the_login_answers_at(make: Make) -> None:
    text = sheet(make(login=["lti13"], lti13=LTI13, public_url="https://hub.example.org:8443/jupyter/"))
    base = "https://hub.example.org:8443/jupyter/hub"
    for line in (
        "Tool URL https://hub.example.org:8443/jupyter/ LTI",
        f"Initiate login URL {base}/lti13/oauth_login",
        f"Redirection URI(s) {base}/lti13/oauth_callback",
        f"Redirect URIs {base}/lti13/oauth_callback",
        f"JSON URL {base}/lti13/config",
        f"Public keyset {base}/lti13/jwks",
        "Tool name Python 101",
        "Default launch container New window",
        "Client ID first, second",
    ):
        assert line in " ".join(text.split()), line


@pytest.mark.parametrize(
    ("claim", "line"),
    [("email", "Share launcher's email with tool Always"), ("custom_login", "Custom parameters login=$User.username")],
)
def test_the_lms_is_asked_for_the_claim_that_names_people(make: Make, claim: str, line: str) -> None:
    text = " ".join(sheet(make(login=["lti13"], lti13=LTI13 | {"username_claim": claim})).split())
    assert line in text
    assert f"must hold the claim {claim}, which names people" in text


def test_a_hub_in_a_frame_is_entered_as_one(make: Make) -> None:
    text = sheet(make(login=["lti13"], lti13=LTI13, frame_ancestors=["https://moodle.example.org"]))
    assert "Default launch container" in text
    assert "Embed" in text
    assert "New window" not in text
