"""Every example in a docstring of the package runs, those of the compiled classes too."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from pkgutil import walk_packages

import pytest

import trunkline
from trunkline import _core, patterns

OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
# What only some installations have, or what runs programs.
APART = ("trunkline.aws", "trunkline.bench", "trunkline.capi", "trunkline.server", "__main__")


def modules() -> list[str]:
    """The modules of the package whose examples need nothing but the package."""
    names = ["trunkline"]
    for module in walk_packages(trunkline.__path__, "trunkline."):
        if not module.name.startswith(APART) and not module.name.endswith(APART):
            names.append(module.name)
    return names


def examples() -> list[doctest.DocTest]:
    """The examples, by the thing they explain."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {}
    for name in modules():
        module = import_module(name)
        for test in finder.find(module, name, module=module):
            found[test.name] = test
    # The finder leaves out what was not written in Python.
    compiled = [(name, getattr(trunkline, name)) for name in trunkline.__all__]
    compiled += [(name, getattr(patterns, name)) for name in patterns.__all__]
    bases = (trunkline.Queue, trunkline.aio.Queue)
    compiled += [(base.__name__, base) for queue in bases for base in queue.__mro__[1:-1]]
    for name, thing in compiled:
        if inspect.isclass(thing) and getattr(_core, name, None) is thing:
            own = [(name, thing), *((f"{name}.{key}", v) for key, v in vars(thing).items())]
            for label, value in own:
                text = inspect.getdoc(value) if not isinstance(value, str) else None
                label = f"trunkline.{label}"
                if text and ">>>" in text and label not in found:
                    parser = doctest.DocTestParser()
                    found[label] = parser.get_doctest(text, {}, label, None, None)
    return [test for test in found.values() if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_example(test: doctest.DocTest) -> None:
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    try:
        runner.run(test, out=output.append, clear_globs=False)
    finally:
        for value in test.globs.values():
            if isinstance(value, trunkline.Engine):
                value.close()
    assert runner.summarize(verbose=False).failed == 0, "".join(output)


def test_there_is_an_example_for_every_public_class() -> None:
    explained = {test.name for test in examples()}
    plain = {"Engine"}
    for name in (*trunkline.__all__, *patterns.__all__):
        thing = getattr(trunkline, name, None) or getattr(patterns, name)
        if not inspect.isclass(thing) or name in plain:
            continue
        if issubclass(thing, trunkline.TrunklineError):
            continue
        assert ">>>" in (thing.__doc__ or "") or name == "QueueReport", name
    assert len(explained) > 40
