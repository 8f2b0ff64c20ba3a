"""The saga of an order with boto3: workers fetch the tasks of activities, a person approves by the
token of a message, and what was done is undone when a step fails.

Run it like `orders.py`. The definition is that of `../order_saga.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3

TEXT = (Path(__file__).parents[1] / "data" / "order_saga.json").read_text(encoding="utf-8")
STEPS = ("charge", "reserve", "ship", "release", "refund")
ROLE = "arn:aws:iam::000000000000:role/orders"


def work(states: Any, step: str, arn: str, done: list[str]) -> None:
    """A worker of one activity, for as long as there is the activity."""
    while True:
        try:
            task = states.get_activity_task(activityArn=arn, workerName=step)
        except states.exceptions.ActivityDoesNotExist:
            return
        if not task.get("taskToken"):
            continue
        order = json.loads(task["input"])
        done.append(f"{order['order']}: {step}")
        states.send_task_success(taskToken=task["taskToken"], output=json.dumps({"by": step}))


def main(states: Any, sqs: Any) -> None:
    """Two orders: one is approved, the other is rejected and undone."""
    url = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    arns = {step: states.create_activity(name=step)["activityArn"] for step in STEPS}
    definition = TEXT.replace("${approvals}", url)
    for step, arn in arns.items():
        definition = definition.replace(f"${{{step}}}", arn)
    machine = states.create_state_machine(name="orders", definition=definition, roleArn=ROLE)
    done: list[str] = []
    workers = [Thread(target=work, args=(states, *one, done)) for one in arns.items()]
    for worker in workers:
        worker.start()

    orders = {}
    for name in ("tea", "coffee"):
        started = states.start_execution(
            stateMachineArn=machine["stateMachineArn"],
            name=name,
            input=json.dumps({"order": name, "total": 3}),
        )
        orders[name] = started["executionArn"]
    for _ in orders:
        (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        asked = json.loads(message["Body"])
        if asked["order"] == "tea":
            states.send_task_success(taskToken=asked["token"], output='{"by": "ann"}')
        else:
            states.send_task_failure(taskToken=asked["token"], error="Rejected", cause="none left")
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    told = {}
    for name, arn in orders.items():
        while (answer := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            Event().wait(0.05)
        told[name] = answer
    undone = sum(step in ("coffee: release", "coffee: refund") for step in done)
    ends = [f"{name} {answer['status']}" for name, answer in told.items()]
    print(f"{', '.join(ends)} by {told['coffee'].get('error')}, {undone} undone")

    for arn in arns.values():
        states.delete_activity(activityArn=arn)
    for worker in workers:
        worker.join()
    states.delete_state_machine(stateMachineArn=machine["stateMachineArn"])
    sqs.delete_queue(QueueUrl=url)


if __name__ == "__main__":
    main(boto3.client("stepfunctions"), boto3.client("sqs"))
