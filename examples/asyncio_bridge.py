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
    with trunkline.open() as engine:  # threads use it as it is, coroutines through `wrap`
        queue = aio.wrap(engine).queue("readings")
        thread = threading.Thread(target=measure, args=(engine.queue("readings"),))
        thread.start()
        total = 0
        for _ in range(5):
            for message in await queue.receive(wait=10):
                total += int(message.text())
                await message.delete()
        thread.join()
        print("sum of the readings:", total)


asyncio.run(main())
