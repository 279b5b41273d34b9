"""What every stand-in is: a web server over HTTPS in a thread of the test process."""

import asyncio
import ssl
import threading
from typing import Self

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.fleet.authority import Authority

Routes = list[tuple[str, type[RequestHandler], dict[str, object]]]


class StandIn:
    """Subclasses say their routes. Handlers run in the server's thread, tests look in from theirs.

    Use as ``with GitHub().serve(authority, address) as github``, or close() it.
    """

    url: str
    """Where it is, e.g. ``https://192.168.231.1:40123``; known once it serves."""

    def routes(self) -> Routes:
        """Path (a pattern), handler, and the keywords of the handler's ``initialize``."""
        raise NotImplementedError

    def serve(self, authority: Authority, address: str = "127.0.0.1") -> Self:
        """Listens at a free port of this address, under a certificate for it; returns when it does."""
        certificate, key = authority.leaf(address)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        sockets = bind_sockets(0, address)
        self.url = f"https://{address}:{sockets[0].getsockname()[1]}"
        ready = threading.Event()

        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            server = HTTPServer(Application(self.routes()), ssl_options=context)
            server.add_sockets(sockets)
            ready.set()
            await self._stop.wait()
            server.stop()
            await server.close_all_connections()

        self._thread = threading.Thread(target=lambda: asyncio.run(main()), name=type(self).__name__, daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
