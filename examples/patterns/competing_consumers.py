"""Competing consumers: several workers take from one queue; each message goes to one of them.

::

                      +--> worker 1
    jobs --> [ jobs ] +--> worker 2     one batch each; a worker that dies loses nothing
                      +--> worker 3

It prints::

    60 jobs, each done once, by 3 workers
"""

import threading

import trunkline

JOBS, WORKERS = 60, 3

with trunkline.open() as engine:
    jobs = engine.queue("jobs")
    jobs.send_batch([str(number) for number in range(JOBS)])
    done: list[tuple[int, str]] = []
    # Each worker has something to do before any of them goes on.
    together = threading.Barrier(WORKERS)

    def work(number: int) -> None:
        is_first = True
        while messages := jobs.receive(max=1):
            with messages[0] as message:
                done.append((number, message.text()))
            if is_first:
                together.wait(30)
                is_first = False

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(job) for _, job in done) == list(range(JOBS))
    workers = {number for number, _ in done}
    print(f"{len(done)} jobs, each done once, by {len(workers)} workers")
