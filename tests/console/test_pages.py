"""The console in a real browser, on a server with something of every kind."""

from __future__ import annotations

import http.client

import pytest

OWNER = ("000000000000", "us-east-1")
PAGES = {
    (): "Messages in queues",
    ("queues",): "kitchen.fifo",
    ("queues", *OWNER, "orders"): "tea",
    ("topics",): "news",
    ("topics", *OWNER, "news"): "book",
    ("buses",): "shop",
    ("buses", *OWNER, "shop"): "OrderPlaced",
    ("streams",): "clicks",
    ("streams", *OWNER, "clicks"): "/tea/0",
    ("machines",): "checkout",
    ("machines", *OWNER, "checkout"): "large",
    ("executions", *OWNER, "checkout", "large"): "ExecutionSucceeded",
    ("functions",): "brew",
    ("buckets",): "reports",
    ("buckets", *OWNER, "reports"): "readme.txt",
    ("requests",): "No request came yet",
    ("trace",): "What is noted",
    ("tools",): "Faults",
}


@pytest.mark.parametrize("parts", PAGES, ids=lambda parts: "-".join(parts) or "overview")
def test_a_page_shows_what_is_there(page, parts):
    page.open(*parts)
    page.locator("main").get_by_text(PAGES[parts]).first.wait_for()
    assert page.query_selector("[role=alert]") is None


def test_a_message_is_sent_found_traced_and_purged(page, engine):
    page.open("queues", *OWNER, "orders")
    page.fill("textarea[name=body]", "from the console")
    page.fill("textarea[name=attributes]", '{"table": 9}')
    page.click("button:text-is('Send')")
    page.wait_for_selector("[role=status] >> text=Sent as")
    page.fill("input[type=search]", "the console")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 found")
    found = engine.queue("orders").peek(10)
    assert [(one.text(), one.attributes) for one in found][-1] == ("from the console", {"table": 9})
    assert engine.queue("orders").statistics().in_flight == 0

    page.click("td a.mono")
    page.wait_for_selector("td >> text=accepted")

    page.open("queues", *OWNER, "orders")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("button:text-is('Purge')")
    page.wait_for_selector("text=0 visible")
    assert engine.queue("orders").statistics().total == 0


def test_a_refusal_is_told_and_nothing_is_sent(page, engine):
    page.open("queues", *OWNER, "orders")
    page.fill("textarea[name=body]", "late")
    page.fill("input[name=delay]", "9000")
    page.click("button:text-is('Send')")
    page.wait_for_selector("[role=alert] >> text=900")
    page.fill("textarea[name=attributes]", "{")
    page.click("button:text-is('Send')")
    page.wait_for_selector("[role=alert] >> text=Attributes is not JSON")
    assert engine.queue("orders").statistics().total == 5


def test_a_bus_says_why_an_event_does_not_match(page, engine):
    page.open("buses", *OWNER, "shop")
    event = '{"source": "shop", "detail-type": "OrderPaid", "detail": {}}'
    page.fill("textarea[name=event]", event)
    page.click("text=Would it match?")
    row = page.wait_for_selector("tr:has(code:text-is('detail-type'))")
    assert "no" in row.inner_text()
    assert "OrderPaid" in row.inner_text()
    page.fill("textarea[name=event]", event.replace("Paid", "Placed"))
    page.click("text=Put it")
    page.wait_for_selector("[role=status] >> text=Put as")
    assert engine.queue("orders").statistics().total == 6


def test_an_execution_is_a_graph_with_what_it_did(page):
    page.open("executions", *OWNER, "checkout", "large")
    page.wait_for_selector(".graph")
    done = page.query_selector_all(".graph g.SUCCEEDED title")
    names = sorted(one.text_content().partition(":")[0] for one in done)
    assert names == ["Charge", "Done", "Insure", "Large?", "Pack", "Ship"]
    page.open("executions", *OWNER, "checkout", "broken")
    page.wait_for_selector(".graph g.FAILED title >> text=Large?", state="attached")


def test_dead_letters_are_moved_back(page, engine):
    # What was sent there by hand came from no queue, so it has to be told where to go.
    page.open("queues", *OWNER, "orders-dead")
    page.fill("input[name=to]", "orders")
    page.click("button:text-is('Move')")
    page.wait_for_selector("text=0 visible")
    assert engine.queue("orders").statistics().total == 6


def test_one_dead_letter_is_moved_back(page, engine):
    dead = engine.queue("orders-dead")
    teas = engine.queue("teas", dead_letter=dead, max_receive_count=1)
    teas.send("cold")
    teas.receive(visibility_timeout=0)
    assert teas.receive() == []
    page.open("queues", *OWNER, "orders-dead")
    # What was sent there by hand came from no queue, and has no button.
    assert page.wait_for_selector("button:text-is('Move back')")
    assert len(page.query_selector_all("button:text-is('Move back')")) == 1
    page.click("button:text-is('Move back')")
    page.wait_for_selector("button:text-is('Move back')", state="detached")
    assert [one.text() for one in teas.peek(10)] == ["cold"]
    assert [one.text() for one in dead.peek(10)] == ["spilled"]


def test_requests_are_shown_as_they_come(page, server):
    def ask(path):
        connection = http.client.HTTPConnection(*server.address, timeout=30)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()

    page.open("requests")
    ask("/reports/readme.txt")
    page.wait_for_selector("td >> text=s3.GetObject")
    ask("/reports/nothing.txt")
    page.wait_for_selector("td >> text=NoSuchKey")
    page.check("input[name=errors]")
    page.wait_for_selector("text=1 of 1 shown")
    page.fill("input[type=search]", "nosuchbucket")
    page.wait_for_selector("text=0 of 0 shown")
    ask("/nowhere/readme.txt")
    page.wait_for_selector("text=1 of 1 shown")


def test_a_fault_is_set_shown_and_taken_back(page, engine):
    page.open("tools")
    page.wait_for_selector("text=No fault is set.")
    for name, value in (("verb", "send"), ("effect", "delay"), ("delay", "0.5"), ("times", "2")):
        page.fill(f"input[name={name}]", value)
    page.click("button:text-is('Set')")
    page.wait_for_selector("td:text-is('delay')")
    assert len(engine.faults) == 1
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("button:text-is('Take all back')")
    page.wait_for_selector("text=No fault is set.")
    assert len(engine.faults) == 0


def test_many_queues_are_shown_a_page_at_a_time(page, engine):
    for number in range(100_000):
        engine.queue(f"many-{number:06}")
    engine.queue("many-099999").send("the last one")
    page.open()
    page.wait_for_selector("nav >> text=100,003")
    page.open("queues")
    page.wait_for_selector("text=100 of 100,003")
    page.click("text=More")
    page.wait_for_selector("text=many-000150")
    page.fill("input[type=search]", "many-09999")
    page.wait_for_selector("text=10 of 10")
    page.click("a:text-is('many-099999')")
    page.wait_for_selector("td >> text=the last one")


def test_what_others_wrote_is_shown_as_text(page, engine):
    engine.queue("orders").send("<img src=x onerror=document.title='taken'>")
    page.open("queues", *OWNER, "orders")
    page.wait_for_selector("main >> text=onerror")
    assert page.title() == "orders - Trunkline"


def test_the_keyboard_reaches_every_kind(page):
    page.open()
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached = page.evaluate("document.activeElement.textContent.trim()")
        names.append(reached.rstrip("0123456789 "))
    assert {"queues", "topics", "buses", "streams", "machines", "buckets"} <= set(names)
