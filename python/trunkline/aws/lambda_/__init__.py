"""AWS Lambda over the wire; `service.py` has its operations."""
