"""Request-reply: a call over queues, with a time-out, retries, and a circuit breaker.

::

    client -- id --> [ requests ] --> server
       ^-- same id -- [ replies ] <------/

It prints::

    the first request is lost, a retry is answered: 4
    the server is away: TimeoutError, TimeoutError, ConnectionRefusedError
    it is back: 9
"""

import trunkline


class Client:
    def __init__(self, engine: trunkline.Engine) -> None:
        self.requests, self.replies = engine.queue("requests"), engine.queue("replies")
        self.calls = self.failures = 0

    def call(self, body: str, tries: int, *, is_trial: bool = False) -> str:
        if self.failures >= 2 and not is_trial:
            raise ConnectionRefusedError  # the circuit is open
        self.calls += 1
        for _ in range(tries):
            self.requests.send(body, attributes={"id": self.calls})
            for reply in self.replies.receive(max=10, wait=0.2):
                reply.delete()
                if reply.attributes["id"] == self.calls:  # not the late answer to another call
                    self.failures = 0
                    return reply.text()
        self.failures += 1
        raise TimeoutError

    def outcome(self, body: str) -> str:
        try:
            return self.call(body, tries=2)
        except OSError as error:
            return type(error).__name__


def server(client: Client, losses: list[str]) -> trunkline.Worker:
    def handle(request: trunkline.Message) -> None:
        if not losses or losses.pop() != request.text():
            square = str(int(request.text()) ** 2)
            client.replies.send(square, attributes={"id": request.attributes["id"]})

    return trunkline.Worker(client.requests, handle, concurrency=1)


with trunkline.open() as engine:
    client = Client(engine)
    with server(client, losses=["2"]):
        print("the first request is lost, a retry is answered:", client.call("2", tries=300))
    print("the server is away:", ", ".join(client.outcome("3") for _ in range(3)))
    with server(client, losses=[]):
        print("it is back:", client.call("3", tries=300, is_trial=True))
