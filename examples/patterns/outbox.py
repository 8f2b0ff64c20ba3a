"""Transactional outbox: the order and the message about it are one transaction of the database.

::

    shop -- BEGIN: order, outbox row; COMMIT --> SQLite
                                                   | relay, in the order of the rows
                                                   v
                      [ orders.fifo ]  by the row's number: once, if relayed twice

It prints::

    orders in the database: ['tea', 'cake']
    messages: ['tea', 'cake'], although the relay was killed in between
"""

import sqlite3
from contextlib import suppress

import trunkline


class Killed(Exception):
    pass


def place(database: sqlite3.Connection, what: str, fails: bool = False) -> None:
    with database:
        database.execute("INSERT INTO orders (what) VALUES (?)", (what,))
        database.execute("INSERT INTO outbox (body) VALUES (?)", (what,))
        if fails:
            raise ValueError("the card was refused")


def relay(database: sqlite3.Connection, queue: trunkline.Queue, killed: bool = False) -> None:
    for id, body in database.execute("SELECT id, body FROM outbox ORDER BY id").fetchall():
        # Within five minutes a second message of this id changes nothing.
        queue.send(body, group="outbox", dedup_id=str(id))
        if killed:
            raise Killed
        with database:
            database.execute("DELETE FROM outbox WHERE id = ?", (id,))


with trunkline.open() as engine:
    database, queue = sqlite3.connect(":memory:"), engine.queue("orders.fifo")
    database.execute("CREATE TABLE orders (what TEXT)")
    database.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)")
    place(database, "tea")
    place(database, "cake")
    with suppress(ValueError):
        place(database, "coffee", fails=True)
    with suppress(Killed):
        relay(database, queue, killed=True)
    relay(database, queue)
    orders = [what for (what,) in database.execute("SELECT what FROM orders")]
    print("orders in the database:", orders)
    messages = [message.text() for message in queue.receive(max=10)]
    print(f"messages: {messages}, although the relay was killed in between")
