"""The house rules, read from the source: which room may import which, and that the rooms are ours."""

import ast
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tasks.edit import PIPELINE_VERSION

ROOT = Path(__file__).parents[1]
ROOMS = ("flows", "tasks", "storage")
MAY_IMPORT = {"flows": {"flows", "tasks", "storage"}, "tasks": {"tasks"}, "storage": {"storage"}}
# Where tasks/ meets storage/: what comes in, or comes back from the archive, a batch at the desk, the end of a run, how
# partitions stand and what is done about it, the translator between them, and a source's files, which lie in buckets
# too.
MEETS_STORAGE = {
    f"tasks/{name}.py"
    for name in (
        *("archived", "batch", "cluster", "collect", "fetch/shelf", "housekeeping", "intake", "job", "listings"),
        *("publish", "rows", "stages", "attempts", "filling", "partitions", "planning", "survey"),
        *("standing", "glimpse", "checkup"),  # what the ledger knows of sources
        "rematch",  # stored articles and today's watchlists
    )
}
MAY_IMPORT_PREFECT = {"tasks/stages.py"}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each imported module with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield node.module or "", node.lineno


EVERY_SOURCE = [pytest.param(path, id=str(path.relative_to(ROOT))) for room in ROOMS for path in sources(room)]


@pytest.mark.parametrize("path", EVERY_SOURCE)
def test_imports_point_one_way(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    room = place.split("/")[0]
    allowed = MAY_IMPORT[room] | ({"storage"} if place in MEETS_STORAGE else set())
    for module, line in imported(path):
        other = module.split(".")[0]
        assert other not in ROOMS or other in allowed, f"{place}:{line} imports {module}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for types count too."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for room in ROOMS for path in sources(room)}
    graph = {name: {module for module, _ in imported(path)} & modules.keys() for name, path in modules.items()}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", EVERY_SOURCE)
def test_prefect_stays_at_the_rim(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if place.startswith("flows/") or place in MAY_IMPORT_PREFECT:
        return
    for module, line in imported(path):
        assert module.split(".")[0] != "prefect", f"{place}:{line} imports {module}"


def test_no_flow_module_is_named_like_a_room_or_a_library() -> None:
    """A flow loaded by file puts flows/ first on sys.path: `flows/storage.py` would then shadow storage/."""
    taken = {*ROOMS, "prefect", "pyarrow", "bs4", "langdetect", "tests", "deploy"}
    assert not {path.stem for path in (ROOT / "flows").iterdir()} & taken


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_package_with_a_sentence(room: str) -> None:
    for folder in {path.parent for path in sources(room)}:
        init = folder / "__init__.py"
        assert init.exists(), folder
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), f"{init} says nothing"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_resolves_inside_this_repository(room: str) -> None:
    """PyPI has distributions of these names; a stray one would be seen here."""
    module = __import__(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == (ROOT / room / "__init__.py").resolve()


@pytest.mark.parametrize("path", EVERY_SOURCE)
def test_every_module_begins_with_a_sentence(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"


@pytest.mark.parametrize("path", EVERY_SOURCE)
def test_clock_environment_and_chance_are_read_in_flows_only(path: Path) -> None:
    """Settings enter at the top and travel down as plain arguments."""
    if path.relative_to(ROOT).parts[0] == "flows":
        return
    found = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {("os", "environ"), ("os", "getenv"), ("datetime", "now"), ("datetime", "utcnow")}
    ]
    assert not found, f"{path}: lines {found}"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pinned
    assert all("==" in line for line in pinned), [line for line in pinned if "==" not in line]


def test_the_pipeline_version_is_the_distribution_s() -> None:
    """It stands in every row, so it must not lag behind a release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == PIPELINE_VERSION
