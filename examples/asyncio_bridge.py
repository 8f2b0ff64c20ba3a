"""How does a thread hand work to coroutines?"""

import asyncio
import threading

import trunkline
from trunkline import aio


def measure(queue: trunkline.Queue) -> None:
    """A thread that talks to a device and knows nothing of asyncio."""
    for reading in range(5):
        queue.send(f"{reading}")


async def main() -> None:
    engine = trunkline.open()
    thread = threading.Thread(target=measure, args=(engine.queue("readings"),))
    async with aio.wrap(engine) as shared:
        queue = shared.queue("readings")
        thread.start()
        total = 0
        for _ in range(5):
            for message in await queue.receive(wait=10):
                total += int(message.text())
                await queue.delete(message)
        print("sum of the readings:", total)
    thread.join()


asyncio.run(main())
