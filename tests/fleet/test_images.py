"""What our images hold: the kernels, exports and extensions of a personal one, and what its parts leave out."""

import hashlib
import io
import json
import shlex
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import docker
import pypdf
import pytest

from hubfleet.images import Julia
from tests.fleet import FleetError
from tests.fleet.engine import FLEET_LABEL, OWNER_LABEL, client, own_id
from tests.fleet.images import ours, recipe

PERSONAL = recipe("personal")
BARE = replace(PERSONAL, parts=())

HOME = "/home/ada"
TEXT = "Größe & naïveté: 100 % of $x_1$ in _this_ {file} #1"

FAKE_JULIA = """\
#!/bin/sh
[ "$1" = --version ] && { echo 'julia version 1.99.0'; exit; }
env > /opt/julia/environment
printf '%s\\n' "$@" > /opt/julia/arguments
mkdir -p "$JUPYTER_DATA_DIR/kernels/julia-1.99"
echo '{"argv": ["/opt/julia/bin/julia"], "display_name": "Julia 1.99", "language": "julia"}' \\
    > "$JUPYTER_DATA_DIR/kernels/julia-1.99/kernel.json"
"""

MAKE_WHEEL = """\
from zipfile import ZipFile

with ZipFile("mine-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("mine.py", "")
    wheel.writestr("mine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n")
    wheel.writestr("mine-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("mine-1.0.dist-info/RECORD", "")
"""


@dataclass(frozen=True)
class Box:
    """A running container of one of our images, with the Linux user ada."""

    container: Any

    def root(self, command: str, *, code: int | None = 0) -> str:
        """What a shell of the container's root prints, its environment being the hub's."""
        return self._run(["sh", "-c", command], code)

    def ada(self, command: str, *, code: int | None = 0) -> str:
        """What ada's terminal prints."""
        return self._run(["su", "-", "ada", "-c", command], code)

    def write(self, name: str, text: str) -> None:
        """A file in ada's home, hers."""
        self.ada(f"printf %s {shlex.quote(text)} > {shlex.quote(name)}")

    def read(self, name: str) -> bytes:
        """A file of ada's."""
        chunks, _ = self.container.get_archive(f"{HOME}/{name}")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as packed:
            found = packed.extractfile(packed.getmembers()[0])
            assert found is not None
            return found.read()

    def _run(self, command: list[str], code: int | None) -> str:
        result = self.container.exec_run(command)
        printed = str(result.output.decode())
        assert code is None or result.exit_code == code, printed
        return printed


@contextmanager
def box(tag: str) -> Iterator[Box]:
    labels = {FLEET_LABEL: "images", OWNER_LABEL: own_id()}
    container = client().containers.run(
        tag, ["sleep", "infinity"], entrypoint=[], detach=True, init=True, network_mode="none", user="0", labels=labels
    )
    try:
        found = Box(container)
        found.root("useradd --create-home --shell /bin/bash ada && echo ada:one-two-three | chpasswd")
        yield found
    finally:
        container.remove(force=True)


@pytest.fixture(scope="module")
def personal() -> Iterator[Box]:
    with box(ours(PERSONAL)) as found:
        yield found


@pytest.fixture(scope="module")
def bare() -> Iterator[Box]:
    with box(ours(BARE)) as found:
        yield found


def notebook(kernel: str, *cells: tuple[str, str]) -> str:
    """A notebook of (markdown or code, source)."""
    made: list[dict[str, object]] = [
        {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for number, (kind, source) in enumerate(cells)
    ]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def kernels(box: Box) -> set[str]:
    return set(json.loads(box.ada("jupyter kernelspec list --json 2>/dev/null"))["kernelspecs"])


class TestAPersonalImage:
    def test_has_a_python_and_an_r_kernel_for_everybody(self, personal: Box) -> None:
        assert kernels(personal) == {"python3", "ir"}

    @pytest.mark.parametrize(
        ("kernel", "cell"),
        [
            ("python3", "import numpy as np; print('Python says', int(np.prod([6, 7])))"),
            ("ir", "cat('R says', 6 * 7)"),
            ("ir", "suppressMessages(library(dplyr)); cat('R says', tibble(x = 6) %>% mutate(y = x * 7) %>% pull(y))"),
        ],
    )
    def test_runs_cells(self, personal: Box, kernel: str, cell: str) -> None:
        personal.write("cells.ipynb", notebook(kernel, ("code", cell)))
        printed = personal.ada("jupyter nbconvert --to markdown --execute --stdout cells.ipynb 2>/dev/null")
        assert "says 42" in printed

    def test_has_the_usual_scientific_python(self, personal: Box) -> None:
        names = "colorama, matplotlib, numpy, pandas, PIL, requests, scipy, seaborn, tqdm"
        personal.ada(f"python -c 'import {names}'")

    def test_exports_a_notebook_to_a_pdf_with_its_text_output_and_figure(self, personal: Box) -> None:
        personal.write("report.ipynb", REPORT)
        personal.ada("jupyter nbconvert --to pdf --execute report.ipynb")
        read = pypdf.PdfReader(io.BytesIO(personal.read("report.pdf")))
        text = " ".join(page.extract_text() for page in read.pages)
        for expected in ("A heading", "Größe & naïveté: 100 %", "in this", "#1", "The sum is 42"):
            assert expected in text
        assert any(page.images for page in read.pages)

    def test_exports_to_latex_and_markdown(self, personal: Box) -> None:
        personal.write("report.ipynb", REPORT)
        latex = personal.ada("jupyter nbconvert --to latex --execute --stdout report.ipynb 2>/dev/null")
        assert r"Größe \& naïveté: 100 \%" in latex
        assert "The sum is 42" in latex
        markdown = personal.ada("jupyter nbconvert --to markdown --execute --stdout report.ipynb 2>/dev/null")
        assert "# A heading" in markdown
        assert "The sum is 42" in markdown

    def test_has_git_in_jupyterlab_and_in_the_terminal(self, personal: Box) -> None:
        assert "jupyterlab_git" in personal.ada("jupyter server extension list 2>&1")
        personal.ada("git init -q work && cd work && echo x > x && git add x && git status --short | grep -q 'A  x'")

    def test_lets_people_install_python_packages_for_themselves(self, personal: Box) -> None:
        personal.write("wheel.py", MAKE_WHEEL)
        personal.ada("python wheel.py && pip install --quiet --no-index ./mine-1.0-py3-none-any.whl")
        assert personal.ada("cd / && python -c 'import mine; print(mine.__file__)'").startswith(f"{HOME}/.local/lib/")

    def test_keeps_the_notebooks_programs_apart_from_the_hubs(self, personal: Box) -> None:
        found = personal.ada("command -v python jupyter jupyterhub-singleuser; echo $PATH").split("\n")
        assert found[:3] == [f"/opt/user/bin/{name}" for name in ("python", "jupyter", "jupyterhub-singleuser")]
        assert "/opt/hub" not in " ".join(found)
        assert personal.root("command -v python") == "/opt/hub/bin/python\n"
        personal.root("python -c 'import hubfleet_hub.config'")
        personal.ada("python -c 'import hubfleet_hub'", code=1)

    def test_makes_homes_that_others_cannot_look_into(self, personal: Box) -> None:
        assert personal.root(f"stat -c %a {HOME}") == "750\n"

    def test_lets_admins_become_root_with_their_own_password_and_nobody_else(self, personal: Box) -> None:
        personal.ada("echo one-two-three | sudo -S -p '' id -u", code=1)
        personal.root("usermod --append --groups sudo ada")
        personal.ada("echo wrong | sudo -S -p '' id -u", code=1)
        assert personal.ada("echo one-two-three | sudo -S -p '' id -u 2>/dev/null") == "0\n"
        personal.root("gpasswd --delete ada sudo")

    def test_holds_no_account_but_the_systems(self) -> None:
        with_passwords = client().containers.run(
            ours(PERSONAL), ["sh", "-c", "grep -vE '^[^:]*:[*!]' /etc/shadow || true"], remove=True, network_mode="none"
        )
        assert with_passwords == b""


REPORT = notebook(
    "python3",
    ("markdown", f"# A heading\n\n{TEXT}"),
    ("code", "print('The sum is', 6 * 7)"),
    ("code", "import matplotlib.pyplot as plt; plt.plot([1, 4, 9]); plt.show()"),
)


class TestAPersonalImageWithoutParts:
    def test_has_none_of_them(self, bare: Box) -> None:
        assert kernels(bare) == {"python3"}
        for program in ("R", "xelatex", "pandoc", "git", "julia"):
            bare.ada(f"command -v {program}", code=1)
        for module in ("numpy", "matplotlib", "jupyterlab_git"):
            bare.ada(f"python -c 'import {module}'", code=1)

    def test_still_runs_python(self, bare: Box) -> None:
        bare.write("cells.ipynb", notebook("python3", ("code", "print('Python says', 6 * 7)")))
        assert "says 42" in bare.ada("jupyter nbconvert --to markdown --execute --stdout cells.ipynb 2>/dev/null")

    def test_is_less_than_half_as_large(self) -> None:
        sizes = [client().images.get(ours(each)).attrs["Size"] for each in (BARE, PERSONAL)]
        assert sizes[0] < sizes[1] / 2


class TestTheSharedImage:
    def test_alone_has_collaboration(self) -> None:
        def extensions(tag: str) -> bytes:
            command = "jupyter server extension list 2>&1; jupyter labextension list 2>&1"
            found: bytes = client().containers.run(tag, ["sh", "-c", command], remove=True, network_mode="none")
            return found

        shared, single = extensions(ours(recipe("shared"))), extensions(ours(recipe("singleuser")))
        for name in (b"jupyter_server_ydoc", b"@jupyter/collaboration-extension"):
            assert name in shared
            assert name not in single


@pytest.fixture(scope="module")
def julia(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Julia]:
    """A stand-in for Julia's archive: a program that notes what it is told, and makes a kernel."""
    directory = tmp_path_factory.mktemp("julia")
    archive = directory / "julia-1.99.0-linux-x86_64.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        entry = tarfile.TarInfo("julia-1.99.0/bin/julia")
        entry.size, entry.mode = len(FAKE_JULIA), 0o755
        packed.addfile(entry, io.BytesIO(FAKE_JULIA.encode()))
    with serving(directory) as url:
        yield Julia("1.99.0", f"{url}/{archive.name}", hashlib.sha256(archive.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def extended(julia: Julia) -> Iterator[Box]:
    """A personal image with Julia and a Debian package of the lab's choice."""
    tag = ours(replace(BARE, julia=julia, apt=("tree",)))
    try:
        with box(tag) as found:
            yield found
    finally:
        client().images.remove(tag, force=True)


def test_a_personal_image_has_the_debian_packages_that_a_lab_adds(extended: Box, bare: Box) -> None:
    extended.ada("tree --version")
    bare.ada("command -v tree", code=1)


class TestJulia:
    def test_comes_with_its_kernel_for_everybody(self, extended: Box) -> None:
        assert kernels(extended) == {"python3", "julia-1.99"}
        assert extended.ada("julia --version") == "julia version 1.99.0\n"
        arguments, environment = (extended.ada(f"cat /opt/julia/{name}") for name in ("arguments", "environment"))
        assert 'Pkg.add("IJulia")' in arguments
        assert "IJulia.installkernel" in arguments
        assert "JULIA_DEPOT_PATH=/opt/julia/local/share/julia:\n" in environment

    def test_with_another_checksum_ends_the_build_before_anything_is_unpacked(self, julia: Julia) -> None:
        expected = f"error: {julia.url} has the SHA-256 {julia.sha256} and not {'0' * 64}"
        assert expected in refused(replace(julia, sha256="0" * 64))

    def test_without_a_checksum_ends_the_build(self, julia: Julia) -> None:
        assert f"has the SHA-256 {julia.sha256} and not (none given)" in refused(replace(julia, sha256=""))

    def test_that_is_not_there_ends_the_build(self, julia: Julia) -> None:
        url = f"{julia.url}.gone"
        assert f"error: cannot download {url}" in refused(replace(julia, url=url, sha256="1" * 64))

    def test_of_another_version_ends_the_build(self, julia: Julia) -> None:
        assert "error: JULIA_URL holds julia version 1.99.0 and not 1.98.0" in refused(replace(julia, version="1.98.0"))


def refused(julia: Julia) -> str:
    """What a build says that must not make an image."""
    wanted = replace(BARE, julia=julia)
    with pytest.raises(FleetError) as caught:
        ours(wanted)
    with pytest.raises(docker.errors.ImageNotFound):
        client().images.get(wanted.name("hubfleet-fleet"))
    return str(caught.value)


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The directory's URL for build steps, which are on the engine's own network."""
    gateway = client().networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    with ThreadingHTTPServer((gateway, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{gateway}:{server.server_port}"
        server.shutdown()
