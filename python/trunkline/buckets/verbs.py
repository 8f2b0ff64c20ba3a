"""What an engine offers of buckets: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import ConflictException, NoSuchBucket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.buckets.bucket import Bucket


class BucketVerbs:
    """The verbs of an engine that are about buckets."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def bucket(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Bucket:
        """Get the bucket `name`, or create it. A name is given once in all accounts and regions.

        ``create=False`` finds a bucket and never creates one. `account` and `region` are those of a
        bucket that is created; if they are given they are compared with an existing bucket's.

        Raises NoSuchBucket with ``create=False``, ConflictException if the bucket has another
        account or region, InvalidParameterValue for a name that S3 does not take, EngineClosed.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.bucket("uploads").name
        'uploads'
        >>> engine.bucket("downloads", create=False)
        Traceback (most recent call last):
        trunkline.errors.NoSuchBucket: The bucket downloads does not exist; check the name, or \
create it first.
        """
        from trunkline._core import Buckets
        from trunkline.buckets.bucket import Bucket

        validation.flag(create, "create")
        validation.text(name, "name")
        owner = validation.owner(self._owner, account, region)
        buckets = Buckets(self._core)
        core = buckets.get_or_create((*owner, name)) if create else buckets.find(name)
        if core is None:
            raise NoSuchBucket(
                f"The bucket {name} does not exist; check the name, or create it first."
            )
        for field, given, own in (
            ("account", account, core.account),
            ("region", region, core.region),
        ):
            if given is not None and given != own:
                raise ConflictException(
                    f"The bucket {name} exists with the {field} {own}, not {given}; leave {field} "
                    "out, or choose another name."
                )
        return Bucket(self, core)  # type: ignore[arg-type]

    def buckets(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Bucket]:
        """The buckets of an account whose name starts with `prefix`, sorted by name.

        Those of every region, unless `region` is given.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> uploads = engine.bucket("uploads")
        >>> engine.buckets()
        [<Bucket 'uploads'>]
        """
        from trunkline._core import Buckets
        from trunkline.buckets.bucket import Bucket

        own, _ = validation.owner(self._owner, account, region)
        found = Buckets(self._core).list(own, region, validation.text(prefix, "prefix"))
        found.sort(key=lambda core: core.name)
        return [Bucket(self, core) for core in found]  # type: ignore[arg-type]
