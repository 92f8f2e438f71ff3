"""The files of deploy/ that no test can run: they name what is there, and keep no secret."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from flows.cli import app
from flows.settings import Settings
from tests.flows.processes import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_services_wait_for_services_that_say_they_are_ready() -> None:
    for name, service in SERVICES.items():
        for other, wish in service.get("depends_on", {}).items():
            assert wish["condition"] in {"service_healthy", "service_completed_successfully"}, name
            assert wish["condition"] != "service_healthy" or "healthcheck" in SERVICES[other], (
                f"{name} waits for {other}"
            )


def test_what_a_service_mounts_is_declared() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], f"{name}: {mount}"
        for config in service.get("configs", []):
            assert config["source"] in COMPOSE["configs"]


def test_secrets_come_from_the_environment() -> None:
    """A password, a key or a URL with one in it is never written down, and a missing one stops the start."""
    for name, service in SERVICES.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|KEY|SECRET", variable) or "@" in str(value):
                assert re.search(r"\$\{[A-Z0-9_]+:\?\}", value), f"{name}: {variable}"


def test_nothing_is_published_beyond_loopback() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_services_set_what_copydesk_knows() -> None:
    known = {f"COPYDESK_{name.upper()}" for name in Settings.model_fields}
    for service in SERVICES.values():
        assert {name for name in service.get("environment") or {} if name.startswith("COPYDESK_")} <= known


@pytest.mark.parametrize("recipe", ["compose.yaml", "copydesk.service", "README.md", "prefect.yaml"])
def test_recipes_use_commands_that_exist(recipe: str) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    text = (DEPLOY / recipe).read_text(encoding="utf-8")
    used = re.findall(r"^[ #]*(?:ExecStart=\S*/)?copydesk ([a-z]+)|\[copydesk, ([a-z]+)", text, re.MULTILINE)
    assert used
    assert {one or other for one, other in used} <= known.keys()


def test_the_image_is_made_of_files_that_are_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = [part for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for part in shlex.split(line)]
    kept = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert copied
    assert all((ROOT / path).exists() for path in copied)
    assert {f"!{Path(path)}" for path in copied} <= set(kept)
