"""The credentials of strict mode: a file in the form of ``~/.aws/credentials``."""

from __future__ import annotations

from configparser import ConfigParser
from configparser import Error as ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from trunkline.aws.dispatcher import Credential


def read_credentials(path: Path) -> list[Credential]:
    """The credentials of every section: key id, secret, and where given session token and account.

    The account is the key ``aws_account_id``. Raises ValueError with a sentence for what is wrong.
    """
    parser = ConfigParser(interpolation=None)
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, ConfigError, UnicodeDecodeError) as error:
        raise ValueError(f"the credentials file {path} cannot be read: {error}") from error
    found: list[Credential] = []
    for name in parser.sections():
        section = parser[name]
        key, secret = section.get("aws_access_key_id"), section.get("aws_secret_access_key")
        if not key or not secret:
            raise ValueError(
                f"section [{name}] of {path} lacks aws_access_key_id or aws_secret_access_key"
            )
        token, account = section.get("aws_session_token"), section.get("aws_account_id")
        found.append((key, secret, token, account))
    if not found:
        raise ValueError(f"the credentials file {path} holds no credentials")
    return found
