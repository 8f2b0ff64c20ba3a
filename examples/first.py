"""How do I send, receive and delete?"""

import tempfile

import trunkline

with tempfile.TemporaryDirectory() as folder:
    with trunkline.open(folder) as engine:
        engine.queue("greetings").send("hello", attributes={"language": "en"})
        # Sent means: on disk. The program could be killed here.

    with trunkline.open(folder) as engine:
        queue = engine.queue("greetings")
        for message in queue.receive(max=10):
            with message:  # deleted on success, visible again after an exception
                print(message.text(), "in", message.attributes["language"])
        print(queue.statistics().visible, "left")
