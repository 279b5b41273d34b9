"""What every spawner says when it does not start a server."""

from tornado.web import HTTPError


class SpawnRefused(HTTPError):
    """A server does not start, for a reason that its user should read."""

    def __init__(self, message: str, status: int = 503) -> None:
        super().__init__(status, message)
        self.jupyterhub_message = message  # what the hub's page shows
