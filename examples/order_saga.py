"""How does one definition carry an order through payment, stock, shipping and an approval, and undo
what was done when a step fails?

With the name of a file, the way of the order that was rejected is drawn there as SVG.
"""

import json
import sys
from pathlib import Path

import trunkline
from trunkline import states

TEXT = (Path(__file__).parent / "data" / "order_saga.json").read_text(encoding="utf-8")
APPROVALS = "https://sqs.us-east-1.amazonaws.com/000000000000/approvals"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"

done: dict[str, list[str]] = {}


def step(name: str):
    """A step of the workflow. It may be called again after a crash, so it has to bear that."""

    def call(order: dict) -> dict:
        if name == "charge" and order["total"] > 1_000:
            raise ValueError("the card is declined")
        steps = done.setdefault(order["order"], [])
        if name not in steps:
            steps.append(name)
        return {"by": name}

    return call


def main(out: str | None) -> None:
    names = ("charge", "reserve", "ship", "release", "refund")
    with trunkline.open() as engine:
        approvals = engine.queue("approvals")
        definition = TEXT.replace("${approvals}", APPROVALS)
        for name in names:
            definition = definition.replace(f"${{{name}}}", FUNCTION + name)
        functions = {name: step(name) for name in names}
        machine = engine.machine("order", definition, functions=functions)
        orders = {"tea": 3, "coffee": 4, "yacht": 1_000_000}
        running = {
            name: machine.start({"order": name, "total": total}, name=name)
            for name, total in orders.items()
        }
        # A person looks at each order that is ready: a day may pass until then.
        for _ in range(2):
            (message,) = approvals.receive(wait=20)
            asked = json.loads(message.body)
            if asked["order"] == "tea":
                engine.send_task_success(asked["token"], {"by": "ann"})
            else:
                engine.send_task_failure(asked["token"], "Rejected", "no coffee today")
            message.delete()
        for name, execution in running.items():
            execution.wait(60)
            steps = ", ".join(sorted(done.get(name, ["nothing"])[:3]) + done.get(name, [])[3:])
            print(f"{name}: {execution.status} {execution.error or ''}".rstrip(), f"({steps})")
        if out is not None:
            drawn = states.graph(definition, running["coffee"].history())
            Path(out).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
