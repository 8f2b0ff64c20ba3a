"""The certificate that a server makes for itself, in a file that its clients can trust."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CERTIFICATE, KEY = "tls-cert.pem", "tls-key.pem"
"""The files, in the data folder of the server."""


class OwnCertificate:
    """A certificate for names of this machine, and the file that has it.

    In a data folder it is kept, so that clients trust the next start too; without one it is in a
    folder for temporary files, which :meth:`forget` removes.
    """

    def __init__(self, folder: str | None, names: Sequence[str]) -> None:
        self._is_kept = folder is not None
        self._folder = Path(folder or tempfile.mkdtemp(prefix="trunkline-"))
        self.path: Path = self._folder.absolute() / CERTIFICATE
        # What stands before a block of PEM is not read: it tells for whom the certificate is.
        note = f"Trunkline, for {', '.join(dict.fromkeys(names))}\n"
        self.pem: tuple[str, str] = self._kept(note) or self._made(note, names)

    def _kept(self, note: str) -> tuple[str, str] | None:
        try:
            chain = self.path.read_text(encoding="utf-8")
            key = (self._folder / KEY).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        return (chain, key) if chain.startswith(note) else None

    def _made(self, note: str, names: Sequence[str]) -> tuple[str, str]:
        from trunkline._core import make_certificate

        chain, key = make_certificate(list(dict.fromkeys(names)))
        # The key first: a certificate without its key would be made again, with other bytes.
        _write(self._folder / KEY, key, 0o600)
        _write(self.path, note + chain, 0o644)
        return note + chain, key

    def forget(self) -> None:
        """Removes the files of a server that keeps nothing."""
        if self._is_kept:
            return
        for name in (CERTIFICATE, KEY):
            (self._folder / name).unlink(missing_ok=True)
        self._folder.rmdir()


def _write(path: Path, text: str, mode: int) -> None:
    """Puts a file into its place as a whole; only its owner may read a key, from the first byte."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    draft.replace(path)
