"""REST APIs of Amazon API Gateway (v1)."""
