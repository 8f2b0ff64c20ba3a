"""Claim check: what is large waits in a store, and the message says where.

::

    sender -- 3 MB --> { bodies }            { bodies } -- 3 MB --> receiver
       \\-- 131 bytes --> [ pictures ] -- 131 bytes --> /

It prints::

    the queue holds 131 bytes of 3000000
    the receiver gets 3000000, and nothing is left
"""

import trunkline

with trunkline.open() as engine:
    bodies = engine.bucket("bodies")
    pictures = engine.queue("pictures", payload_store=bodies)
    pictures.send(bytes(3_000_000), attributes={"kind": "picture"})

    # A program that does not know of the bucket sees the claim check itself.
    claim = engine.queue("pictures").peek()[0]
    print(f"the queue holds {len(claim.body)} bytes of {claim.attributes['ExtendedPayloadSize']}")

    with pictures.receive()[0] as message:
        size = len(message.body)
        assert message.attributes == {"kind": "picture"}
    assert bodies.statistics()["objects"] == 0
    print(f"the receiver gets {size}, and nothing is left")
