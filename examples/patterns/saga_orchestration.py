"""Saga by orchestration: one machine runs the steps, and the undoing of them if one fails.

::

    [Pay] --> [Reserve] --> (done)
                 | fails
                 v
              [Refund] --> (failed)

It prints::

    tea: SUCCEEDED, paid 3
    cake: FAILED, paid 0
"""

import trunkline

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function"
DEFINITION = {
    "StartAt": "Pay",
    "States": {
        "Pay": {"Type": "Task", "Resource": f"{LAMBDA}:pay", "Next": "Reserve"},
        "Reserve": {
            "Type": "Task",
            "Resource": f"{LAMBDA}:reserve",
            "Catch": [{"ErrorEquals": ["OutOfStock"], "ResultPath": "$.why", "Next": "Refund"}],
            "End": True,
        },
        "Refund": {"Type": "Task", "Resource": f"{LAMBDA}:refund", "Next": "Undone"},
        "Undone": {"Type": "Fail", "Error": "OutOfStock"},
    },
}
OutOfStock = type("OutOfStock", (Exception,), {})


def move(accounts, order, amount):
    accounts[order["what"]] = accounts.get(order["what"], 0) + amount
    return order


def reserve(order):
    if order["what"] == "cake":
        raise OutOfStock("no cake today")
    return order


with trunkline.open() as engine:
    paid: dict[str, int] = {}
    functions = {
        "pay": lambda order: move(paid, order, 3),
        "reserve": reserve,
        "refund": lambda order: move(paid, order, -3),
    }
    machine = engine.machine("checkout", DEFINITION, functions=functions)
    for what in ("tea", "cake"):
        execution = machine.start({"what": what}).wait(30)
        print(f"{what}: {execution.status}, paid {paid[what]}")
