"""HTTP and WebSocket APIs of Amazon API Gateway (v2). `sockets` is what only the latter have."""
