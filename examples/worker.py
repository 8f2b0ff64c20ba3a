"""How do I run handlers that are retried, with dead letters at the end?"""

import logging

import trunkline

logging.disable()  # the worker logs every failure; here they are expected

engine = trunkline.open()
dead = engine.queue("thumbnails-dead")
queue = engine.queue("thumbnails", dead_letter="thumbnails-dead", max_receive_count=3)
queue.send_batch([f"picture-{number}.png" for number in range(20)] + ["broken.png"])

attempts: list[str] = []


def make_thumbnail(message: trunkline.Message) -> None:
    attempts.append(message.text())
    if message.text() == "broken.png":
        raise ValueError("not a picture")


# The lease of a message is extended for as long as its handler runs.
queue.consume(make_thumbnail, concurrency=4, until_empty=True)

print(len(attempts), "attempts;", dead.statistics().visible, "dead letter")
(letter,) = dead.peek()
print(letter.text(), "was delivered", attempts.count("broken.png"), "times")
