"""A process whose executions wait for a token, and which kills itself: the program of
`test_kill_tokens.py`.

    token_traffic.py FOLDER EXECUTIONS KILL_AFTER

It starts what is not started yet, answers each token that comes through the queue, and ends with a
line of JSON once every execution has ended. After KILL_AFTER starts and answers it kills itself.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from contextlib import suppress

import trunkline
from trunkline.errors import ConflictException

URL = "https://sqs.us-east-1.amazonaws.com/000000000000/approvals"

DEFINITION = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl": URL,
                "MessageBody": {"token.$": "$$.Task.Token", "number.$": "$.number"},
            },
            "ResultPath": "$.answer",
            "Next": "Done",
        },
        "Done": {"Type": "Pass", "End": True},
    },
}


def main(folder: str, executions: int, kill_after: int) -> None:
    done = itertools.count(1)

    def count() -> None:
        if next(done) == kill_after:
            os.kill(os.getpid(), 9)

    engine = trunkline.open(folder)
    queue = engine.queue("approvals")
    machine = engine.machine("approvals", DEFINITION, functions={})
    is_over = threading.Event()

    def answer() -> None:
        while not is_over.is_set():
            for message in queue.receive(max=10, wait=0.2):
                told = json.loads(message.text())
                # One may have been answered before a kill, which came before the delete.
                with suppress(ConflictException):
                    engine.send_task_success(told["token"], {"approved": told["number"]})
                message.delete()
                count()

    thread = threading.Thread(target=answer)
    thread.start()
    known = {execution.name for execution in machine.executions()}
    for number in range(executions):
        if f"one-{number}" not in known:
            machine.start({"number": number}, name=f"one-{number}")
            count()
    ends = []
    for number in range(executions):
        execution = machine.execution(f"one-{number}").wait(300)
        kinds = [event["type"] for event in execution.history()]
        ends.append((execution.status, execution.output, kinds))
    is_over.set()
    thread.join()
    engine.close()
    print(json.dumps(ends))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
