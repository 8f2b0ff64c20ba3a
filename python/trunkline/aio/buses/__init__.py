"""Event buses for asyncio."""
