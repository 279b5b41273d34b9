"""A real browser, headless, in the hands of someone who uses a hub."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect, sync_playwright

from hubfleet.images import ROOT
from tests.fleet.engine import cache_dir

CHROMIUM = "/usr/bin/chromium"

#: Milliseconds for a page's answer, and for a server's start, the slowest thing anyone waits for here.
PATIENCE = 60_000
SERVER_PATIENCE = 180_000

TRIES = 4

expect.set_options(timeout=PATIENCE)


def screenshots() -> Path:
    """Where pictures go; those that a test takes on purpose go to docs/screenshots with HUBFLEET_SCREENSHOTS=1."""
    path = cache_dir() / "screenshots"
    path.mkdir(exist_ok=True)
    return path


@dataclass(frozen=True)
class Chromium:
    """A browser, and how it was started."""

    browser: Browser
    program: Path
    arguments: list[str]


@contextmanager
def chromium(certificates: Iterable[Path], network: Path) -> Iterator[Chromium]:
    """Chromium that takes these certificates, which no authority it knows has signed, and refuses any other such.

    It runs in the network namespace ``network``: on this machine's own, every container that starts makes it drop
    what it is loading (ERR_NETWORK_CHANGED).
    """
    keys = [x509.load_pem_x509_certificate(path.read_bytes()).public_key() for path in certificates]
    known = [hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest() for key in keys]
    arguments = [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        f"--ignore-certificate-errors-spki-list={','.join(base64.b64encode(digest).decode() for digest in known)}",
    ]
    with TemporaryDirectory(prefix="hubfleet-browser-") as scratch, sync_playwright() as playwright:
        starter = Path(scratch) / "chromium"
        starter.write_text(f'#!/bin/sh\nexec nsenter --net={network} {CHROMIUM} "$@"\n')
        starter.chmod(0o700)
        browser = playwright.chromium.launch(executable_path=starter, headless=True, args=arguments)
        try:
            yield Chromium(browser, starter, arguments)
        finally:
            browser.close()


@contextmanager
def everyday(chromium: Chromium) -> Iterator[BrowserContext]:
    """A window of somebody's everyday browser, which keeps cookies of a site in another site's frame.

    Those of `chromium` are private ones, which do not; and Debian's Chromium does not of itself, as others do.
    """
    with TemporaryDirectory(prefix="hubfleet-profile-") as scratch:
        preferences = Path(scratch) / "Default" / "Preferences"
        preferences.parent.mkdir()
        preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}))
        context = chromium.browser.browser_type.launch_persistent_context(
            scratch,
            executable_path=chromium.program,
            headless=True,
            args=chromium.arguments,
            viewport={"width": 1280, "height": 800},
        )
        try:
            yield context
        finally:
            context.close()


@dataclass
class Visitor:
    """One person's browser window at a hub."""

    page: Page
    url: str
    frame: str = ""
    """Selector of the page's frame in which JupyterLab is shown; empty: it is the page."""

    @property
    def lab(self) -> Page | FrameLocator:
        return self.page.frame_locator(self.frame) if self.frame else self.page

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")

    def sign_up(self, name: str, password: str) -> None:
        self.go("/hub/signup")
        self.page.fill("#username_input", name)
        self.page.fill("#email_input", f"{name}@example.org")
        self.page.fill("#password_input", password)
        self.page.fill("#password_confirmation_input", password)
        self.page.click("#signup_submit")

    def log_in(self, name: str, password: str) -> None:
        self.go("/hub/login?next=/hub/home")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", password)
        self.page.click("#login_submit")

    def log_in_at_github(self, login: str) -> None:
        """From the hub's login page through GitHub's pages and back."""
        self.page.locator("a", has_text="GitHub").click()
        self.page.fill("#login_field", login)
        self.page.fill("#password", f"{login.lower()} at GitHub")
        with self.page.expect_navigation():
            self.page.click("#sign-in")
        if "/login/oauth/authorize" in self.page.url:  # they have not let this hub in before
            with self.page.expect_navigation():
                self.page.click("#authorize")

    def choose_password(self, old: str, new: str) -> None:
        """On the page that asks for a new one."""
        self.page.fill("#old_password_input", old)
        self.page.fill("#new_password_input", new)
        self.page.fill("#new_password_confirmation_input", new)
        self.page.click("#new_password_submit")

    def start_server(self) -> None:
        """From the hub's home page until JupyterLab shows the own files."""
        self.go("/hub/home")
        self.page.click("#start")
        self.page.locator(".jp-DirListing-content").wait_for(timeout=SERVER_PATIENCE)

    def stop_server(self) -> None:
        self.go("/hub/home")
        self.page.wait_for_load_state("networkidle")  # the button does nothing before its script is there
        self.page.click("#stop")
        expect(self.page.locator("#stop")).to_be_hidden()

    def new_notebook(self) -> None:
        """In a JupyterLab that shows its launcher."""
        self.lab.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
        # What is typed before the kernel is there can be lost.
        expect(self.lab.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")
        self.lab.locator(".jp-Notebook .jp-CodeCell .cm-content").first.wait_for()

    def run_cell(self, code: str, output: str) -> None:
        """Types code into the last cell, runs it, and sees the output under it."""
        cells = self.lab.locator(".jp-Notebook .jp-CodeCell")
        for _ in range(TRIES):
            cell = cells.nth(cells.count() - 1)
            cell.locator(".cm-content").fill(code)
            cell.locator(".cm-content").press("Shift+Enter")
            try:
                expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[[\d*]+\]:"), timeout=10_000)
            except AssertionError:
                continue  # JupyterLab drops what is typed while it still lays out a notebook: an empty cell ran
            expect(cell.locator(".jp-OutputArea-output").first).to_contain_text(output)
            return
        raise AssertionError(f"JupyterLab took no code in {TRIES} tries")

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()  # the first save asks for the notebook's name
        expect(self.page.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)

    def shoot(self, name: str) -> None:
        directory = ROOT / "docs" / "screenshots" if os.environ.get("HUBFLEET_SCREENSHOTS") else screenshots()
        self.page.screenshot(path=directory / f"{name}.png")
