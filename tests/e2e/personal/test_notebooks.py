"""What people do with notebooks on a personal hub: languages, and a PDF that has their words."""

import io
import json
from collections.abc import Callable

import pypdf
import pytest

from tests.e2e.personal.member import Member

RESULT = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "42"}}
CELLS = [
    {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A garden of forking paths\n\n$x^2 = 1764$"},
    {"cell_type": "code", "id": "b", "metadata": {}, "source": "6*7", "execution_count": 1, "outputs": [RESULT]},
]
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
NOTEBOOK = {"cells": CELLS, "metadata": {"kernelspec": PYTHON}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def ada(member: Callable[[str], Member]) -> Member:
    return member("ada").start()


@pytest.mark.parametrize(("kernel", "code"), [("python3", "6*7"), ("ir", "cat(6*7)")])
def test_a_cell_runs(ada: Member, kernel: str, code: str) -> None:
    assert ada.notebook_kernel(kernel).run(code) == "42"


@pytest.mark.parametrize(
    ("form", "beginning"),
    [("pdf", b"%PDF-"), ("latex", b"\\documentclass"), ("markdown", b"# A garden")],
)
def test_a_notebook_is_exported(ada: Member, form: str, beginning: bytes) -> None:
    ada.write("garden.ipynb", json.dumps(NOTEBOOK).encode())
    made = ada.ask("GET", f"{ada.prefix}nbconvert/{form}/garden.ipynb?download=true", timeout=120)
    assert made.status_code == 200, made.text[:2000]
    assert made.content.lstrip().startswith(beginning)
    if form == "pdf":
        words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.content)).pages)
        assert "garden of forking paths" in words
        assert "42" in words
