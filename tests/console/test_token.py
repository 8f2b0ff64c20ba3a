"""A console whose server asks for a token."""

from __future__ import annotations

from trunkline.server import Server


def test_the_console_asks_for_the_token_of_the_server(browser, engine):
    with Server(engine, port=0, admin_token="secret") as server:
        page = browser.new_page()
        page.goto(f"{server.url}/_trunkline")
        page.fill("input[name=token]", "wrong")
        page.click("text=Use it")
        page.wait_for_selector("text=asks for a token")
        page.fill("input[name=token]", "secret")
        page.click("text=Use it")
        page.wait_for_selector("text=Messages in queues")
        page.close()
