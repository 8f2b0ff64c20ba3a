"""WebSocket APIs of Amazon API Gateway (v2).

`checks` says what their parts may be, `responses` keeps the responses of routes and integrations.
On the data path `serving` is told of each connection and message, `exchange` is one event on its
way, `integrating` calls what a route leads to. The sockets themselves are served by the core.
"""
