"""The same programs, answered by an engine in this process: no server, no socket."""

from __future__ import annotations

import boto3
import checkout
import order_events
import order_saga
import order_topic
import orders
import redrive

import trunkline
import trunkline.aws


def main() -> None:
    """Run them one after the other."""
    with trunkline.open() as engine:
        # Every client that is made inside the block is answered by the engine, also by code that
        # has never heard of it. `trunkline.aws.client("sqs", engine=engine)` makes a single one.
        with trunkline.aws.local(engine):
            names = ("sqs", "sns", "events", "stepfunctions")
            sqs, sns, events, states = (boto3.client(name) for name in names)
        for program in (orders, checkout, redrive):
            program.main(sqs)
        order_events.main(sqs, events)
        order_topic.main(sqs, sns)
        order_saga.main(states, sqs)


if __name__ == "__main__":
    main()
