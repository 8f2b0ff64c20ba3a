"""What a plain install does not bring is named with the extra that brings it."""

import subprocess
import sys

import pytest

from trunkline.bench.contest import OURS, Contest, NotInstalled, run

MISSING = """
import sys
sys.modules[{module!r}] = None
import asyncio, trunkline, trunkline.aws
engine = trunkline.open()

async def asynchronous():
    async with trunkline.aws.aio_client("sqs", engine=engine):
        pass

try:
    {program}
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "program", "remedy"),
    [
        ("botocore", "trunkline.aws.local(engine).__enter__()", "pip install 'trunkline[aws]'."),
        ("botocore", "trunkline.aws.client('sqs', engine=engine)", "pip install 'trunkline[aws]'."),
        ("aiobotocore", "asyncio.run(asynchronous())", "pip install aiobotocore."),
        ("opentelemetry", "import trunkline.otel", "pip install 'trunkline[otel]'."),
    ],
)
def test_what_is_not_installed_is_named_with_its_remedy(module, program, remedy):
    source = MISSING.format(module=module, program=program)
    ran = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip().endswith(remedy)


def test_a_row_of_the_bench_that_needs_more_is_left_out():
    def ours():
        raise NotInstalled("pyarrow")

    contest = Contest(
        name="data/arrow",
        title="",
        payload="",
        durability="",
        unit="ns",
        candidates={OURS: ours, "other": ours},
    )
    assert run(contest, 2) == ([], ["data/arrow: pyarrow"])
