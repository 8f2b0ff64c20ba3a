"""What happens when a file comes into a bucket? A state machine runs, and its result is an object.

::

    put_object --> { inbox } --event--> ( default bus ) --rule--> [ machine: count, keep ]
                                                                        |
                                                   { counts } <---------+

Run it: ``python examples/demo_files.py``. It needs ``trunkline[aws]``, and checks what it says.
"""

import json
import time

import trunkline
import trunkline.aws
from trunkline.server import Server

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function"
ROLE = "arn:aws:iam::000000000000:role/demo"
DEFINITION = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Task", "Resource": f"{LAMBDA}:count", "Next": "Keep"},
        "Keep": {"Type": "Task", "Resource": f"{LAMBDA}:keep", "End": True},
    },
}
FILES = {"menu.txt": "tea\ncoffee\ncake\n", "guests.txt": "Ann\nBob\n", "empty.txt": ""}
PATIENCE = 60.0


def main() -> None:
    began = time.monotonic()
    with trunkline.open() as engine, Server(engine, port=0) as server:
        inbox, counts = engine.bucket("inbox"), engine.bucket("counts")

        def count(event, context):
            key = event["detail"]["object"]["key"]
            return {"key": key, "lines": len(inbox.get(key).text().splitlines())}

        def keep(told, context):
            counts.put(told["key"], json.dumps(told))
            return told

        engine.function("count", count)
        engine.function("keep", keep)

        import boto3

        def client(service: str):
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            where = {"endpoint_url": server.url, "region_name": "us-east-1"}
            return boto3.client(service, **where, **keys)

        machine = client("stepfunctions").create_state_machine(
            name="files", definition=json.dumps(DEFINITION), roleArn=ROLE
        )["stateMachineArn"]
        s3, events = client("s3"), client("events")
        s3.put_bucket_notification_configuration(
            Bucket="inbox", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["inbox"]}}}
        events.put_rule(Name="files", EventPattern=json.dumps(pattern))
        target = {"Id": "machine", "Arn": machine, "RoleArn": ROLE}
        assert events.put_targets(Rule="files", Targets=[target])["FailedEntryCount"] == 0

        for key, text in FILES.items():
            s3.put_object(Bucket="inbox", Key=key, Body=text.encode())
        print(f"put {len(FILES)} files into the bucket 'inbox' of {server.url}")

        until = began + PATIENCE
        while counts.statistics()["objects"] < len(FILES):
            assert time.monotonic() < until, "a file has started no execution"
            time.sleep(0.01)
        found = {key: json.loads(counts.get(key).bytes())["lines"] for key in FILES}
        assert found == {key: len(text.splitlines()) for key, text in FILES.items()}
        executions = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        assert len(executions) == len(FILES)
    for key, lines in found.items():
        print(f"  {key:<12} {lines} lines")
    print(f"{len(executions)} executions, one a file, in {time.monotonic() - began:.1f} seconds")


if __name__ == "__main__":
    main()
