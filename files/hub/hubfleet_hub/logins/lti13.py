"""Launches from a learning management system (LTI 1.3), by ltiauthenticator, with what it lacks.

The LMS's keys are cached and never fetched on the hub's event loop; a login begun is good for one launch, in the
browser and for the client that began it, side by side with others in other windows; people are named by the chosen
claim or not at all; addresses come from ``hub.yaml`` and not from what a request says; and each refusal has the
status that `hubfleet_hub.launch` lists, a line in the log and a page that says what to do.
"""

# mypy: disable-error-code="import-untyped"

import hashlib
import hmac
import json
import re
import secrets
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cachetools import TTLCache
from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from ltiauthenticator.lti13.auth import LTI13Authenticator
from ltiauthenticator.lti13.error import ValidationError
from ltiauthenticator.lti13.handlers import LTI13CallbackHandler, LTI13LoginInitHandler, _serialize_state
from ltiauthenticator.lti13.validator import LTI13LaunchValidator
from markupsafe import Markup
from traitlets.config import Config

from hubfleet_hub import lms
from hubfleet_hub.config import VERIFY_USERS, HubConfig
from hubfleet_hub.launch import ADMIN, Keys, Refused, judge, name_in
from hubfleet_hub.users import PermittedUsers

COOKIE = "hubfleet-lti13-"
"""One cookie a login begun: the name goes on with the digest of its state."""

BEGUN_FOR = 600
"""Seconds in which a login that was begun must end in a launch."""

BEGUN_AT_ONCE = 8
"""Logins begun in one browser and not ended; the oldest cookie makes room, as proxies refuse long headers."""

LONGEST_NAME = 128


def cookie_name(state: str) -> str:
    return COOKIE + hashlib.sha256(state.encode()).hexdigest()[:32]


def cookie_options(handler: Any) -> dict[str, Any]:
    """The launch is a POST from another site, perhaps in its frame: only such cookies come with it, or are cleared."""
    crossing = {"secure": True, "samesite": "None"} if handler.authenticator.hub_config.secure else {}
    return {"path": url_path_join(handler.hub.base_url, "lti13/"), **crossing}


class BeginHandler(LTI13LoginInitHandler):  # type: ignore[misc]
    """The LMS says that somebody comes; the browser is sent back to it for a signed launch."""

    def post(self) -> None:
        if not self.request.arguments:  # a link to here without an LMS
            self.redirect(self.settings["login_url"])
            return
        hub = self.authenticator.hub_config
        said = {name: self.get_argument(name) for name in self.request.arguments}
        try:
            LTI13LaunchValidator().validate_login_request(said)
        except ValidationError as error:
            raise Refused(400, f"the LMS began it incompletely ({error})", ADMIN) from None
        if said["iss"] != hub.lti13.issuer:
            raise Refused(400, "it was begun by another LMS than this hub's", ADMIN)
        ids = hub.lti13.client_ids
        client_id = said.get("client_id") or (ids[0] if len(ids) == 1 else "")
        if client_id not in ids:
            raise Refused(400, "it was begun for a client_id that this hub does not have", ADMIN)
        state = _serialize_state({"state_id": secrets.token_urlsafe(), "next_url": self._next_url(said)})
        nonce = secrets.token_urlsafe()
        self._remember(state, {"nonce": nonce, "client_id": client_id, "life": self.authenticator.life})
        self.authorize_redirect(
            redirect_uri=lms.address(hub, "oauth_callback"),
            login_hint=said["login_hint"],
            lti_message_hint=said.get("lti_message_hint"),
            nonce=nonce,
            client_id=client_id,
            state=state,
        )

    get = post

    def _next_url(self, said: dict[str, str]) -> str:
        """Where on this hub the launch leads, as upstream reads it: ``next``, of the login or of its target link, or
        the target link itself. Empty for where the hub leads everybody."""
        target = said["target_link_uri"]
        in_link = re.search("next=(.*)", target, re.IGNORECASE)
        wanted = said.get("next") or (unquote(in_link[1]) if in_link else target)
        parts = urlsplit(wanted.replace("\\", "%5C"))
        path = "/" + parts.path.lstrip("/")
        base = self.authenticator.hub_config.base_url
        pages = url_path_join(base, "hub/")
        if not path.startswith(base) or path in (base, pages) or path.startswith(url_path_join(pages, "lti13")):
            return ""
        whole: str = parts._replace(scheme="", netloc="", path=path).geturl()
        return quote(whole, safe="/:?#[]@!$&'()*+,;=%~")

    def _remember(self, state: str, begun: dict[str, str]) -> None:
        others = [name for name in self.request.cookies if name.startswith(COOKIE)]
        for name in others[: max(0, len(others) - BEGUN_AT_ONCE + 1)]:
            self.clear_cookie(name, **cookie_options(self))
        options = {"expires_days": None, "max_age": BEGUN_FOR, **cookie_options(self)}
        self._set_cookie(cookie_name(state), json.dumps(begun), **options)


class LaunchHandler(LTI13CallbackHandler):  # type: ignore[misc]
    """The launch itself: a POST by the browser of what the LMS signed."""

    async def post(self) -> None:
        authenticator = self.authenticator
        if error := self.get_body_argument("error", ""):
            known = error if re.fullmatch("[a-z_]{1,40}", error) else "no"
            raise Refused(403, f"the LMS said {known}")
        state, token = (self.get_body_argument(name, "") for name in ("state", "id_token"))
        if not state or not token:
            raise Refused(400, f"the launch lacks its {'id_token' if state else 'state'}", ADMIN)
        begun = self._begun(state)
        claims = await judge(token, authenticator.keys, authenticator.hub_config.lti13, begun["client_id"])
        if not hmac.compare_digest(str(claims["nonce"]).encode(), begun["nonce"].encode()):
            raise Refused(401, "its nonce is not that of this login")
        # After the signature and without awaiting anything in between: of two launches at a time one is first.
        if state in authenticator.used:
            raise Refused(400, "it was used already")
        authenticator.used[state] = True
        user = await self.login_user(claims)
        if user is None:
            raise Refused(403, "your learning platform knows you, and this hub's own list does not", ADMIN)
        self._jupyterhub_user = user
        self.redirect(self.get_next_url(user))

    def _begun(self, state: str) -> dict[str, str]:
        """What this browser began with ``state``: good once. Raises Refused."""
        name = cookie_name(state)
        text = self.get_secure_cookie(name, max_age_days=BEGUN_FOR / 86400)
        if text is None:
            raise Refused(
                400,
                "this browser did not begin it, or began it too long ago, or has used it already",
                "Go back to your course and open the link again. If this page comes back, allow cookies for this "
                "hub, or have the link open in a new window.",
            )
        self.clear_cookie(name, **cookie_options(self))
        begun: dict[str, str] = json.loads(text)
        if begun["life"] != self.authenticator.life:
            raise Refused(400, "the hub was restarted meanwhile")
        return begun


class ToolHandler(BaseHandler):  # type: ignore[misc]
    """What an LMS reads when the tool is added by its address, as Canvas does.

    Upstream's, but for the addresses, which upstream takes from the request and without the hub's path; the services
    (grades, members), which it asks leave for and no hub uses; and a key set, which Canvas insists on (upstream's
    issue 213).
    """

    async def get(self) -> None:
        authenticator = self.authenticator
        hub = authenticator.hub_config
        fields = lms.custom_fields(hub)
        placement = {
            "placement": "course_navigation",
            "message_type": "LtiResourceLinkRequest",
            "windowTarget": "_self" if hub.frame_ancestors else "_blank",
            "target_link_uri": hub.public_url,
            "custom_fields": fields,
        }
        canvas = "canvas.instructure.com"
        self.set_header("Content-Type", "application/json")
        self.finish(
            json.dumps(
                {
                    "title": authenticator.tool_name,
                    "description": authenticator.tool_description,
                    "target_link_uri": hub.public_url,
                    "oidc_initiation_url": lms.address(hub, "oauth_login"),
                    "redirect_uris": [lms.address(hub, "oauth_callback")],
                    "public_jwk_url": lms.address(hub, "jwks"),
                    "scopes": [],
                    "custom_fields": fields,
                    "extensions": [
                        {
                            "platform": canvas,
                            "privacy_level": lms.privacy(hub),
                            "settings": {"platform": canvas, "placements": [placement]},
                        }
                    ],
                }
            )
        )


class NoKeysHandler(BaseHandler):  # type: ignore[misc]
    """The keys with which this hub signs what it asks of an LMS: none, for it asks nothing."""

    async def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish({"keys": []})


class SetupHandler(BaseHandler):  # type: ignore[misc]
    """What the LMS's administrator enters there; no word of it is secret."""

    async def get(self) -> None:
        hub = self.authenticator.hub_config
        html = await self.render_template(
            "lti13-setup.html", title=lms.title(hub), introduction=lms.INTRODUCTION, sections=lms.sections(hub)
        )
        self.finish(html)


class HubfleetLti13Authenticator(PermittedUsers, LTI13Authenticator):  # type: ignore[misc]
    """LTI13Authenticator with the promises of this module."""

    login_service = "your course"
    login_hint = Markup(
        "Enter from your course: open the link to this hub there. "
        '<small class="d-block mt-2">Do you run the learning platform? '
        '<a href="lti13/setup">What to enter there</a></small>'
    )
    login_handler = BeginHandler
    callback_handler = LaunchHandler
    config_handler = ToolHandler

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keys = Keys(self.jwks_endpoint)
        # Only launches that the LMS signed get in here, so that strangers cannot fill it.
        self.used: TTLCache[str, bool] = TTLCache(maxsize=100_000, ttl=BEGUN_FOR)
        # In every login begun: which of them were used up is forgotten when the hub restarts, so none is good then.
        self.life = secrets.token_hex(8)

    async def authenticate(self, handler: Any, data: dict[str, Any]) -> str | None:
        hub = self.hub_config
        assert hub.lti13 is not None  # HubConfig sees to it
        name = hub.name_of("lti13", self.normalize_username(name_in(data, hub.lti13.username_claim)))
        # The names of `verify` are let in by token alone, whatever the lists say.
        return None if name in VERIFY_USERS or len(name) > LONGEST_NAME else name

    def get_handlers(self, app: Any) -> list[tuple[str, type[Any]]]:
        return [*super().get_handlers(app), ("/lti13/jwks", NoKeysHandler), ("/lti13/setup", SetupHandler)]


def configure(c: Config, hub: HubConfig) -> type[HubfleetLti13Authenticator]:
    lti13 = hub.lti13
    assert lti13 is not None  # HubConfig sees to it
    own = c.HubfleetLti13Authenticator
    own.issuer = lti13.issuer
    own.client_id = set(lti13.client_ids)
    own.authorize_url = lti13.authorize_url
    own.jwks_endpoint = lti13.jwks_url
    own.username_key = lti13.username_claim
    own.tool_name = lti13.tool_name
    own.uri_scheme = "https" if hub.secure else "http"
    return HubfleetLti13Authenticator
