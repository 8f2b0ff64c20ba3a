"""APIs for asyncio. The public name is that of `trunkline.aio.Engine.api`."""
