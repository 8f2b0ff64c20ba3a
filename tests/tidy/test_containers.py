"""The files that build images and wheels say what the package is."""

from __future__ import annotations

import re
import tomllib

import pytest

from . import tree

yaml = pytest.importorskip("yaml")

DOCKERFILE = (tree.ROOT / "Dockerfile").read_text(encoding="utf-8")


def rust() -> str:
    """The version of Rust that the workspace needs."""
    manifest = tomllib.loads((tree.ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    version: str = manifest["workspace"]["package"]["rust-version"]
    return version


def test_the_image_is_built_with_the_rust_that_is_needed_and_runs_as_no_root() -> None:
    assert re.search(rf"--default-toolchain {re.escape(rust())}\b", DOCKERFILE)
    stage = DOCKERFILE.rpartition("FROM ")[2]
    assert stage.index("USER 10001") < stage.index("ENTRYPOINT")
    assert 'ENTRYPOINT ["trunkline", "serve"]' in stage
    assert "HEALTHCHECK" in stage


def test_every_variable_of_the_image_is_an_option_of_the_server() -> None:
    options = (tree.PACKAGE / "server" / "command.py").read_text(encoding="utf-8")
    compose = yaml.safe_load((tree.ROOT / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["trunkline"]
    named = {*re.findall(r"\bTRUNKLINE_(\w+)=", DOCKERFILE)}
    named |= {name.removeprefix("TRUNKLINE_") for name in service["environment"]}
    assert len(named) > 3
    for name in named:
        assert f'add("--{name.lower().replace("_", "-")}"' in options, name
    assert [port.startswith("127.0.0.1:") for port in service["ports"]] == [True]
    assert {mount.split(":")[0] for mount in service["volumes"]} == set(compose["volumes"])


def test_the_console_is_tried_in_a_browser() -> None:
    text = (tree.ROOT / ".github/workflows/console.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["chromium"]["steps"]
    runs = " ".join(step.get("run", "") for step in steps)
    assert "chromium" in runs
    assert f"--default-toolchain {rust()}" in runs
    assert "make test-console" in runs


def test_wheels_are_built_for_every_platform_that_is_promised() -> None:
    text = (tree.ROOT / ".github/workflows/wheels.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    platforms = {one["platform"] for one in jobs["wheels"]["strategy"]["matrix"]["include"]}
    wanted = ("manylinux", "musllinux")
    assert {f"{libc}_{arch}" for libc in wanted for arch in ("x86_64", "aarch64")} < platforms
    assert {"macos_x86_64", "macos_arm64"} < platforms
    assert text.count(f"{rust()}") >= 3


def test_a_wheel_for_every_python_is_built_for_servers() -> None:
    text = (tree.ROOT / ".github/workflows/wheels.yml").read_text(encoding="utf-8")
    (build,) = [step for step in yaml.safe_load(text)["jobs"]["server"]["steps"] if "env" in step]
    assert 'MATURIN_PEP517_ARGS="--features abi3"' in build["env"]["CIBW_ENVIRONMENT"]
    manifest = (tree.ROOT / "core/binding/Cargo.toml").read_text(encoding="utf-8")
    assert tomllib.loads(manifest)["features"]["abi3"] == ["pyo3/abi3-py311"]
