"""State machines: durable executions of the Amazon States Language."""
