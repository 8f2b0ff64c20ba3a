"""``python -m tests.recorded [--update] [-k PART] [SERVICE ...]``: replays the recorded cases."""

from __future__ import annotations

import argparse
from collections import Counter

from . import cases, score
from .replay import PATIENCE

DIFFERED_PATIENCE = 3.0
"""Seconds for the reads of a case that differed before."""


def main() -> None:
    """Replays the cases of the services that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded", description=__doc__)
    parser.add_argument("services", nargs="*", default=cases.RECORDED, metavar="SERVICE")
    parser.add_argument("--update", action="store_true", help="write the score")
    parser.add_argument("-k", default="", metavar="PART", help="only cases with this in the name")
    options = parser.parse_args()
    if options.update and options.k:
        parser.error("--update writes the score of all cases of a service; leave out -k")
    for service in options.services:
        if service not in cases.RECORDED:
            parser.error(f"no cases of {service}; there are: {', '.join(cases.RECORDED)}")
        known, results = score.load(service), {}
        for case in cases.cases_of(service):
            if options.k in case.name:
                differed = known.get(case.name, {}).get("outcome") == "differs"
                patience = DIFFERED_PATIENCE if differed else PATIENCE
                results[case.name] = score.run(case, patience)
                if results[case.name].outcome != "equal":
                    print(f"{case.name}\n    {results[case.name]}")
        total = Counter(result.outcome for result in results.values())
        print(f"{service}: {', '.join(f'{count} {word}' for word, count in total.items())}")
        if options.update:
            score.save(service, results)


if __name__ == "__main__":
    main()
