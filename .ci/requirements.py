"""Print the requirements of the named extras of pyproject.toml, one a line.

pip can install an extra only together with the package; the tools are needed before it is built.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras: dict[str, list[str]] = project["optional-dependencies"]
own_name = project["name"]

pending, seen = sys.argv[1:], set()
while pending:
    extra = pending.pop()
    if extra in seen:
        continue
    seen.add(extra)
    for requirement in extras[extra]:
        if requirement.startswith(f"{own_name}["):
            names = requirement.removeprefix(f"{own_name}[").partition("]")[0]
            pending.extend(name.strip() for name in names.split(","))
        else:
            print(requirement)
