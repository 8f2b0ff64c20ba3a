"""Writes the pictures of docs/console.md: `python tests/console/shots.py docs/console`."""

from __future__ import annotations

import sys
from pathlib import Path

from conftest import CHROMIUM
from playwright.sync_api import sync_playwright
from shop import fill

import trunkline
from trunkline.server import Server

OWNER = "000000000000/us-east-1"
PAGES = {
    "overview": "",
    "queues": "queues",
    "queue": f"queues/{OWNER}/orders",
    "dead-letters": f"queues/{OWNER}/orders-dead",
    "topic": f"topics/{OWNER}/news",
    "bus": f"buses/{OWNER}/shop",
    "stream": f"streams/{OWNER}/clicks",
    "machine": f"machines/{OWNER}/checkout",
    "execution": f"executions/{OWNER}/checkout/large",
    "bucket": f"buckets/{OWNER}/reports",
    "tools": "tools",
}
SETTLE_MS = 4_500
"""So that a chart has a few points."""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with trunkline.open(trace="on", clock=None) as engine, Server(engine, port=0) as server:
        fill(engine)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for name, address in PAGES.items():
                scheme = "dark" if name == "execution" else "light"
                page = browser.new_page(
                    viewport={"width": 1100, "height": 760}, color_scheme=scheme
                )
                page.goto(f"{server.url}/_trunkline#/{address}")
                page.wait_for_timeout(SETTLE_MS)
                page.screenshot(path=folder / f"{name}.png")
                page.close()
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
