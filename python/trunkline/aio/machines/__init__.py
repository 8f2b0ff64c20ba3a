"""State machines for asyncio. The public names are those of `trunkline.aio`."""
