"""HTTP APIs of Amazon API Gateway (v2). WebSocket APIs are refused at their creation."""
