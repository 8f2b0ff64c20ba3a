"""Which rules does an event match, and why not the others?"""

from trunkline import patterns

billing = patterns.compile(
    {
        "type": [{"prefix": "invoice."}],
        "total": [{"numeric": [">", 0, "<=", 10_000]}],
        "customer": {"country": [{"anything-but": ["test"]}]},
    }
)
routes = patterns.RuleSet()
routes.add("billing", billing)
routes.add("audit", {"id": [{"exists": True}]})

events = {
    "invoice-17": b'{"id": 17, "type": "invoice.paid", "total": 99, "customer": {"country": "NL"}}',
    "hello-1": b'{"id": 1, "type": "hello"}',
}
for name, event in events.items():
    print(f"{name}: {', '.join(routes.match(event))}")

print("not for billing:", billing.explain(events["hello-1"]).path)
