"""The data path of REST APIs: from a request to its answer.

`exchange` is one request on its way; `chain` takes it through its steps: the route (`routing`), the
caller (`authorizing`, `keys`, `throttling`), the input (`checking`), the integration (`mapping`,
`integrating` and the modules it calls) and the answer (`answering`, `refusing`, `logging`).
"""
