"""How much of the public interface has known types, as pyright's ``--verifytypes`` counts it.

It runs in an environment that has pyright: `make types` makes one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

LEAST = 0.99
SHOWN_MAX = 20
PYTHON = Path(__file__).resolve().parent.parent / "python"


def main() -> int:
    """Print the score and what lowers it; 0 if it is good enough."""
    # pyright finds packages by the interpreter that is first in PATH.
    scripts = sysconfig.get_path("scripts")
    (Path(sysconfig.get_path("purelib")) / "trunkline-types.pth").write_text(f"{PYTHON}\n")
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    asked = [sys.executable, "-m", "pyright", "--verifytypes", "trunkline", "--ignoreexternal"]
    ran = subprocess.run(
        [*asked, "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        # Beside no sources: what lies in the current folder would win.
        cwd=scripts,
    )
    told = json.loads(ran.stdout)["typeCompleteness"]
    score = told["completenessScore"]
    print(f"{score:.1%} of the public interface has known types; needed: {LEAST:.0%}")
    unknown = [
        f"{problem['file']}:{problem['range']['start']['line'] + 1}: {problem['message']}"
        for symbol in told["symbols"]
        for problem in symbol["diagnostics"]
        if "range" in problem and not problem["message"].startswith("No docstring")
    ]
    print("\n".join(dict.fromkeys(unknown[:SHOWN_MAX])))
    return 0 if score >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
