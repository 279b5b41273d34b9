"""People whom the hub no longer lets in lose what they had open.

JupyterHub asks when a request comes in. A WebSocket is one request, and lives for days: whoever was taken off the list
would go on reading and writing notebooks by it. So the hub is asked again about everyone who has one.
"""

# mypy: disable-error-code="import-untyped"

import logging
from typing import Any
from weakref import WeakSet

from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

EVERY = 10.0
"""Seconds between two looks."""

POLICY_VIOLATION = 1008
"""RFC 6455, section 7.4.1."""

log = logging.getLogger(__name__)


class Doorkeeper:
    """Knows the open WebSockets by the questions that the server asks its identity provider."""

    def __init__(self, provider: Any) -> None:
        self._auth = provider.hub_auth
        self._ask = provider.get_user
        self._handlers: WeakSet[WebSocketHandler] = WeakSet()
        provider.get_user = self._get_user

    def start(self) -> None:
        PeriodicCallback(self.look, EVERY * 1000).start()

    async def _get_user(self, handler: Any) -> Any:
        user = await self._ask(handler)
        if user is not None and isinstance(handler, WebSocketHandler):
            self._handlers.add(handler)
        return user

    async def look(self) -> None:
        """Ask the hub once for each login that holds a WebSocket, and close those of logins that are worth nothing."""
        logins: dict[tuple[str, str], list[WebSocketHandler]] = {}
        for handler in list(self._handlers):
            if handler.ws_connection is not None:
                login = self._auth.get_token(handler), self._auth.get_session_id(handler)
                logins.setdefault(login, []).append(handler)
        for (token, session), handlers in logins.items():
            if not await self._is_good(token, session):
                for handler in handlers:
                    handler.close(POLICY_VIOLATION, "You may no longer be here.")

    async def _is_good(self, token: str, session: str) -> bool:
        try:
            user = await self._auth.user_for_token(token, use_cache=False, session_id=session, sync=False)
        except HTTPError as error:
            log.warning("The hub does not answer who is still let in (%s); asking again", error.log_message)
            return True
        return user is not None and bool(self._auth.check_scopes(self._auth.access_scopes, user))
