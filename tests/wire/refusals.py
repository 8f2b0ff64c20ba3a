"""What an AWS client is told of a call that is refused."""

from __future__ import annotations

import pytest


def refused(call, *arguments, **given):
    """The code and the message of the error that the call raises."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(*arguments, **given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
