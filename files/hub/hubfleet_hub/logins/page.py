"""The hub's login page: a form for names and passwords, and a button for each login that redirects."""

# mypy: disable-error-code="import-untyped"

from typing import Any

from jupyterhub.handlers.login import LoginHandler
from tornado.httputil import url_concat


class LoginPage(LoginHandler):  # type: ignore[misc]
    """JupyterHub's login with our page, the same for one login and for several side by side."""

    def _render(self, login_error: str | None = None, username: str | None = None, **kwargs: Any) -> Any:
        ways = self.settings["authenticator"].ways_in()
        wanted = self.get_argument("next", default="")
        after = {"next": wanted} if wanted else {}
        buttons = [way for way in ways if not way.has_form and not way.login_hint]
        return self.render_template(
            "login.html",
            username=username or "",
            login_error=login_error,
            login_url=url_concat(self.settings["login_url"], after),
            has_form=any(way.has_form for way in ways),
            may_sign_up=any(way.may_sign_up for way in ways),
            buttons=[(way.login_service, url_concat(way.login_url(self.hub.base_url), after)) for way in buttons],
            hints=[way.login_hint for way in ways if way.login_hint],
            **kwargs,
        )
