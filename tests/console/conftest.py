"""A browser on the console of a server: `make test-console` brings both."""

from __future__ import annotations

import os
import shutil

import pytest
from shop import fill

import trunkline
from trunkline.server import Server

CHROMIUM = os.environ.get("TRUNKLINE_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="`make test-console` brings it")
    if CHROMIUM is None:
        pytest.skip("there is no chromium; name one in TRUNKLINE_CHROMIUM")
    with api.sync_playwright() as playwright:
        # Without a sandbox of its own: the tests may run as root, and open our pages alone.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def engine():
    with trunkline.open(trace="on") as engine:
        fill(engine)
        yield engine


@pytest.fixture
def server(engine):
    with Server(engine, port=0) as server:
        yield server


@pytest.fixture
def page(browser, server):
    """A page of the console: `page.open("queues")`. What goes wrong in it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def heard(said):
        # The browser notes each refusal of the server; the page shows it.
        if said.type == "error" and "status of 400" not in said.text:
            problems.append(said.text)

    page.on("console", heard)

    def show(*parts):
        address = "/".join(part.replace("/", "%2F") for part in parts)
        page.goto(f"{server.url}/_trunkline#/{address}")
        page.wait_for_selector("main h2")

    page.open = show
    yield page
    context.close()
    assert problems == []
