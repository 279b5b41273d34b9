"""Someone with an account in a personal hub's container."""

from dataclasses import dataclass, field
from typing import Self

from tests.e2e.person import Kernel, Person

SHELL = """
import subprocess
done = subprocess.run({0!r}, shell=True, input={1!r}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print(done.returncode, done.stdout, end="")
"""


@dataclass
class Member(Person):
    """A Person who has a terminal."""

    _shell: Kernel | None = field(default=None, repr=False)

    def start(self) -> Self:
        """Returns at once when the own server is there already."""
        if self.about()["servers"]:
            return self
        self._shell = None
        return super().start()

    def terminal(self, command: str, typed: str = "") -> tuple[int, str]:
        """Exit status and output of a command that runs as them where their notebooks run."""
        if self._shell is None or not self.ask("GET", f"{self.prefix}api/kernels/{self._shell.identity}").ok:
            self._shell = self.kernel()  # the first one, or the first of another server
        else:
            self._shell.connect()  # a WebSocket that lay idle while a deploy went on has been closed
        done = self._shell.run(SHELL.format(command, typed))
        status, _, printed = done.partition(" ")
        return int(status), printed

    def notebook_kernel(self, name: str) -> Kernel:
        """A kernel of the language ``name``, e.g. ``ir``."""
        made = self.ask("POST", f"{self.prefix}api/kernels", json={"name": name})
        assert made.status_code == 201, f"{made.status_code} {made.text}"
        return Kernel(self, made.json()["id"])
