"""How do I test a retry an hour from now, without waiting?"""

import trunkline

clock = trunkline.VirtualClock()
with trunkline.open(clock=clock) as engine:
    queue = engine.queue("reports", visibility_timeout=3_600)
    queue.send("quarterly figures", delay=600)

    assert queue.receive() == []  # not before its delay
    clock.advance(600)
    (first,) = queue.receive()  # and the consumer dies
    clock.advance(3_599)
    assert queue.receive() == []  # the lease holds
    clock.advance(1)
    (second,) = queue.receive()
    print("delivered", second.receive_count, "times within", clock.now - first.sent_at, "seconds")
