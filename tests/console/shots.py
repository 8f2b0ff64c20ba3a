"""Writes the pictures of docs/console.md: `python tests/console/shots.py docs/console`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
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
    "requests": "requests",
    "tools": "tools",
}
SETTLE_MS = 4_500
"""So that a chart has a few points."""


def use(engine: Any, url: str) -> None:
    """Sends some requests, two of which are refused, and lets a message become a dead letter."""
    teas = engine.queue("teas", dead_letter="orders-dead", max_receive_count=1)
    teas.send("cold tea")
    for _ in range(2):
        teas.receive(visibility_timeout=0)
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    sqs, s3 = (session.client(name, endpoint_url=url) for name in ("sqs", "s3"))
    orders = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    for number in range(8):
        sqs.send_message(QueueUrl=orders, MessageBody=json.dumps({"order": number}))
        sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=3, VisibilityTimeout=0)
        s3.get_object(Bucket="reports", Key="readme.txt")
    for refused in (
        lambda: sqs.get_queue_url(QueueName="invoices"),
        lambda: s3.get_object(Bucket="reports", Key="lost.csv"),
    ):
        with suppress(ClientError):
            refused()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with trunkline.open(trace="on", clock=None) as engine, Server(engine, port=0) as server:
        fill(engine)
        use(engine, server.url)
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
