"""Linux accounts of the hub's own container (`hubfleet_hub.linux`), by PAM.

Asked off the hub's event loop, without sessions, through a service of our own; an unknown name takes as long as a known
one, and nobody but people can log in: no account of the system's, and no one who comes in by another login.
"""

# mypy: disable-error-code="import-untyped"

import asyncio
import time
from functools import cache
from pathlib import Path

import nativeauthenticator
import pamela
from jupyterhub.auth import PAMAuthenticator
from traitlets import Integer
from traitlets.config import Config

from hubfleet_hub import linux
from hubfleet_hub.accounts import LONGEST_PASSWORD, hash_password
from hubfleet_hub.config import HubConfig
from hubfleet_hub.logins.passwords import PasswordLogin, Verdict
from hubfleet_hub.users import PermittedUsers

REFUSED_AFTER = 2.0
"""Seconds until a refusal, whatever was wrong: more than any check of a password takes."""

PAM_NEW_AUTHTOK_REQD = 12
"""PAM's word for a password that is right and good for choosing another; not among pamela's."""


@cache
def _common_passwords() -> frozenset[str]:
    file = Path(nativeauthenticator.__file__).with_name("common-credentials.txt")
    return frozenset(file.read_text("utf-8").splitlines())


class HubfleetPAMAuthenticator(PasswordLogin, PAMAuthenticator):  # type: ignore[misc]
    """PAMAuthenticator with the promises of this module."""

    minimum_password_length = Integer(8, config=True, help="Characters in a password chosen on the hub's page.")

    async def judge(self, name: str, password: str) -> Verdict:
        answer_at = time.monotonic() + REFUSED_AFTER
        loop = asyncio.get_running_loop()
        verdict = await loop.run_in_executor(self.executor, self._ask_pam, name, password)
        if verdict is Verdict.WRONG:
            await asyncio.sleep(max(0.0, answer_at - time.monotonic()))
        return verdict

    def _ask_pam(self, name: str, password: str) -> Verdict:
        account = linux.find(name) if self.hub_config.login_of(name) == "pam" else None
        if account is None or not account.has_password:
            return Verdict.WRONG
        try:
            pamela.authenticate(name, password, service=linux.PAM_SERVICE, resetcred=0)
        except pamela.PAMError as error:
            return Verdict.ONE_TIME if error.errno == PAM_NEW_AUTHTOK_REQD else Verdict.WRONG
        return Verdict.GOOD

    def is_password_strong(self, password: str) -> bool:
        right_length = len(password) >= self.minimum_password_length and len(password.encode()) <= LONGEST_PASSWORD
        return right_length and password not in _common_passwords()

    async def store_password(self, name: str, new: str) -> None:
        def store() -> None:
            linux.set_password(name, hash_password(new).decode(), one_time=False)

        await asyncio.to_thread(store)


def configure(c: Config, hub: HubConfig) -> type[PermittedUsers]:
    if hub.native is not None:
        c.HubfleetPAMAuthenticator.minimum_password_length = hub.native.min_password_length
    return HubfleetPAMAuthenticator
