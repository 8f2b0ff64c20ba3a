"""What an engine offers of buckets: the part of :class:`trunkline.aio.Engine` about them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aio.buckets.bucket import Bucket
    from trunkline.engine import Engine


class BucketVerbs:
    """The verbs of an engine for asyncio that are about buckets."""

    __slots__ = ()

    if TYPE_CHECKING:
        sync: Engine

    def bucket(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Bucket:
        """Get or create a bucket, as :meth:`trunkline.Engine.bucket` does.

        Not a coroutine: a bucket that exists costs no wait, and one that is created costs one sync.

        >>> import trunkline
        >>> trunkline.aio.open().bucket("uploads").name
        'uploads'
        """
        from trunkline.aio.buckets.bucket import Bucket

        return Bucket(self.sync.bucket(name, create=create, account=account, region=region))

    def buckets(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Bucket]:
        """The buckets of an account whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().buckets()
        []
        """
        from trunkline.aio.buckets.bucket import Bucket

        found = self.sync.buckets(prefix, account=account, region=region)
        return [Bucket(bucket) for bucket in found]
