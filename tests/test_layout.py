"""The map of the house, held: who may import whom, what may stand where, what is public."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType

import pytest

import runtime
import runtime.testing
import supervisors
from tests.floors import FLOORS
from tests.syntax_trees import (
    PACKAGES,
    ROOT,
    broad_excepts,
    documented_names,
    dynamic_imports,
    imports,
    modules,
    private_trio,
    public_any,
    shields,
    sources,
)

MAX_LINES = 400

# The one place where a crash becomes a reason, and the one where a hook must not hurt.
MAY_CATCH_EVERYTHING = {"runtime.containment", "runtime.process"}

# Loaded by pytest alone, so it may import that.
BY_PYTEST = {"supervisors.fixtures"}

MAY_SHIELD = {
    "runtime._trio": "waits for the tasks of a nursery that was left open",
    "runtime.console.console": "tells its clients that it ends, and waits for its threads",
    "runtime.entered": "closes what a process entered, until it is killed",
    "runtime.node": "the host task, and the wait for it",
    "runtime.server_loop": "last words, until the process is killed",
    "runtime.stages.events_of": "waits for its consumer, which it has killed",
    "runtime.stream_run": "waits for its tasks, which it has killed",
    "runtime.testing.chaos": "waits for its process, which it has killed",
    "supervisors.open_supervisor": "waits for the orderly shutdown",
    "supervisors.operations": "waits for the orderly shutdown of its own",
}

# Public annotations that say Any, and why they must.
MAY_SAY_ANY = {
    "runtime.gen_server": {
        "GenServer.__init_subclass__": "class keywords belong to whoever defines them",
        "GenServer.handle_call": "overriders narrow the request",
        "GenServer.handle_cast": "overriders narrow the message",
        "GenServer.handle_info": "overriders narrow the message",
        "GenServer.handle_continue": "overriders narrow the argument",
        "GenServer.redact": "overriders narrow the value",
        "spec_of": "arguments of any class, checked against its constructor at run time",
    },
    "supervisors.pipeline.callbacks": {
        "Callbacks.handle_message": "what becomes of a message may be about anything",
        "Callbacks.handle_batch": "messages that became anything",
        "Callbacks.handle_failed": "messages that became anything",
        "has": "callbacks for messages of any data",
        "are_callbacks": "callbacks for messages of any data",
    },
    "supervisors.pipeline.declaration": {
        "AnySizedBy": "the accumulator is the user's",
        "Producers.transform": "what a source emits is the user's",
    },
    "supervisors.pipeline.message": {
        "AnyMessage": "the data is the user's",
        "Acknowledger.ack": "overriders narrow the reference and the data",
        "Acknowledger.give_back": "overriders narrow the reference and the data",
        "Acknowledger.configure": "overriders narrow the reference and the receipt",
    },
    "supervisors.pipeline.trials": {
        "Overheard.ack": "as in Acknowledger, which it overrides",
        "Overheard.give_back": "as in Acknowledger, which it overrides",
        "Overheard.configure": "as in Acknowledger, which it overrides",
    },
    "supervisors.supervising": {
        "Supervising.handle_call": "as in GenServer, which it overrides",
        "Supervising.handle_cast": "as in GenServer, which it overrides",
    },
    "runtime.stages.channel_sink": {
        "ChannelSink.__init__": "it sends whatever its producers give",
        "ChannelSink.handle_events": "it sends whatever its producers give",
    },
    "runtime.stages.events_of": {
        "EventReader.__anext__": "a handle of a producer does not say what its events are",
        "EventBlock.__aenter__": "a handle of a producer does not say what its events are",
    },
    "runtime.stages.subscription": {
        "Events.events": "what the stages of a user send each other",
    },
    "runtime.stages.subscription_options": {
        "Selector": "those who write one narrow the event",
    },
    "runtime.introspection": {
        "ServerStatus.state": "the attributes of any server",
        "get_state": "the attributes of any server",
        "replace_state": "the attributes of any server",
    },
}

# Test files that stand for no single module, by folder.
OF_NO_MODULE = {
    "tests": {"test_docs", "test_journeys", "test_layout", "test_readme", "test_semantics"},
    "tests/runtime": {"test_failure_matrix", "test_init"},
    "tests/supervisors": {"test_init"},
}

MODULES = modules()


def floor_of(module: str) -> tuple[str, int]:
    package, _, name = module.partition(".")
    (floor,) = [level for level, row in enumerate(FLOORS[package]) if name in row.split()]
    return package, floor


def as_module(imported: str) -> str:
    """``runtime.calls`` for ``runtime.calls:Ref`` and for ``runtime:calls``."""
    module, _, name = imported.partition(":")
    inside = f"{module}.{name}"
    return inside if module in PACKAGES and inside in MODULES else module


# ---------------------------------------------------------------------- floors


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_has_its_floor(package: str) -> None:
    on_floors = sorted(name for row in FLOORS[package] for name in row.split())
    assert on_floors == sorted(
        module.partition(".")[2] for module in MODULES if module.startswith(f"{package}.")
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_file_imports_from_lower_floors_only(module: str) -> None:
    package, floor = floor_of(module)
    wrong: list[str] = []
    for imported in map(as_module, imports(MODULES[module])):
        target = imported.split(".")[0]
        if imported.startswith(".") or target in ("tests", "examples", "benchmarks"):
            wrong.append(f"{imported} is nothing to import")
        elif target not in PACKAGES:
            continue
        elif target == package == imported:
            wrong.append(f"{imported} is the package itself, import from the sibling")
        elif target != package and package == "runtime":
            wrong.append(f"{imported} is above the whole package")
        elif target == package and floor_of(imported)[1] >= floor:
            wrong.append(f"{imported} is on no lower floor")
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_imported_by_a_function_call(module: str) -> None:
    assert dynamic_imports(MODULES[module]) == []


def test_only_what_is_declared_is_imported() -> None:
    """Beside the standard library: what the tools bring along is not there for users."""
    declared = {"trio", "msgspec", "structlog", "sortedcontainers", "trio_parallel"}
    declared |= {"opentelemetry", "rich", "prompt_toolkit", *PACKAGES}
    foreign = {
        imported
        for module in MODULES.keys() - BY_PYTEST
        for imported in (name.split(":")[0].split(".")[0] for name in imports(MODULES[module]))
        if imported not in sys.stdlib_module_names
    }
    assert foreign <= declared


# ---------------------------------------------------------------------- what stands where


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        path: len(source.splitlines())
        for path, source in sources("runtime", "supervisors", "examples", "tests")
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_only_two_files_catch_everything() -> None:
    assert {name for name, source in MODULES.items() if broad_excepts(source)} == (
        MAY_CATCH_EVERYTHING
    )


def test_shields_stand_where_they_are_known_to() -> None:
    assert {name for name, source in MODULES.items() if shields(source)} == set(MAY_SHIELD)


def test_one_file_knows_private_names_of_trio() -> None:
    assert {name for name, source in MODULES.items() if private_trio(source)} == {"runtime._trio"}


def test_any_stands_only_where_it_must() -> None:
    found = {name: public_any(source) for name, source in MODULES.items()}
    assert {name: said for name, said in found.items() if said} == {
        name: set(reasons) for name, reasons in MAY_SAY_ANY.items()
    }


# ---------------------------------------------------------------------- tests


def files_of(folder: str) -> list[str]:
    return [path.stem for path in sorted((ROOT / folder).glob("test_*.py"))]


def module_of(test_file: str, package: str) -> str | None:
    """The module a test file is about: ``process_table`` for ``test_process_table_names``."""
    subject = test_file.removeprefix("test_") + "_"
    names = [name.partition(".")[2] for name in MODULES if name.startswith(f"{package}.")]
    fitting = [name for name in names if subject.startswith(f"{name.replace('.', '_')}_")]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_has_its_tests_and_every_test_its_file(package: str) -> None:
    folder = f"tests/{package}"
    about = {name: module_of(name, package) for name in files_of(folder)}
    homeless = {name for name, module in about.items() if module is None}
    assert homeless <= OF_NO_MODULE[folder], "tests that belong to no file"
    untested = {
        module
        for module in MODULES
        if module.startswith(f"{package}.") and module.partition(".")[2] not in about.values()
    }
    assert untested == set(), "files without tests"


def test_the_tests_of_no_package_are_known() -> None:
    assert set(files_of("tests")) <= OF_NO_MODULE["tests"]


# ---------------------------------------------------------------------- what is public


PUBLIC = [runtime, runtime.testing, supervisors]


def exported(package: ModuleType) -> list[str]:
    names: list[str] = package.__all__
    return names


@pytest.mark.parametrize("package", PUBLIC)
def test_all_is_sorted_and_says_exactly_what_the_package_imports(package: ModuleType) -> None:
    names = exported(package)
    assert names == sorted(names)
    assert len(names) == len(set(names))
    tree = ast.parse(Path(str(package.__file__)).read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(names) == {name for name in imported if not name.startswith("_")}


WHOLLY_PUBLIC = ("runtime.errors", "runtime.exits", "runtime.instruments", "supervisors.errors")


@pytest.mark.parametrize("module", WHOLLY_PUBLIC)
def test_every_error_reason_and_event_is_public(module: str) -> None:
    package = {"runtime": runtime, "supervisors": supervisors}[module.split(".", maxsplit=1)[0]]
    classes = {
        node.name
        for node in ast.parse(MODULES[module]).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert classes - {"Instruments"} <= set(exported(package))


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_is_documented(package: ModuleType) -> None:
    said = {name for source in MODULES.values() for name in documented_names(source)}
    undocumented = [
        name
        for name in exported(package)
        if not (
            bool(vars(value).get("__doc__"))
            if inspect.isclass(value := getattr(package, name))
            else bool(value.__doc__)
            if inspect.isfunction(value)
            else name in said
        )
    ]
    assert undocumented == []


@pytest.mark.parametrize("package", PUBLIC)
def test_public_classes_show_their_public_path(package: ModuleType) -> None:
    for name in exported(package):
        value = getattr(package, name)
        if inspect.isclass(value):
            assert (value.__module__, value.__qualname__) == (package.__name__, name)


def test_a_traceback_shows_the_public_path_of_an_error() -> None:
    error = runtime.CallExit(runtime.Killed(), "counter", object())
    (line,) = traceback.format_exception_only(error)
    assert line.startswith("runtime.CallExit: ")


def test_the_typing_marker_is_shipped() -> None:
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)


# ---------------------------------------------------------------------- the checks themselves

FORBIDDEN = {
    "a bare except": (broad_excepts, "try: pass\nexcept: pass"),
    "except Exception": (broad_excepts, "try: pass\nexcept Exception: pass"),
    "one among others": (broad_excepts, "try: pass\nexcept (OSError, BaseException): pass"),
    "except*": (broad_excepts, "try: pass\nexcept* Exception: pass"),
    "suppress": (broad_excepts, "with contextlib.suppress(Exception): pass"),
    "a shield": (shields, "trio.CancelScope(shield=True)"),
    "a shield by variable": (shields, "trio.move_on_after(1, shield=yes)"),
    "a shield set later": (shields, "scope.shield = True"),
    "a private module": (private_trio, "import trio._core"),
    "a private name of a module": (private_trio, "from trio._core import Task"),
    "an import of a private name": (private_trio, "from trio import _core"),
    "a private attribute": (private_trio, "task._cancel_status"),
    "one by getattr": (private_trio, "getattr(task, '_cancel_status')"),
    "one of a submodule": (private_trio, "trio.lowlevel._core"),
    "import_module": (dynamic_imports, "importlib.import_module('x')"),
    "__import__": (dynamic_imports, "__import__('x')"),
    "Any in an argument": (public_any, "def f(x: Any) -> None: ..."),
    "Any in a result": (public_any, "async def f() -> dict[str, Any]: ..."),
    "Any in a string": (public_any, "def f() -> 'list[Any]': ..."),
    "Any in a method": (public_any, "class C:\n def m(self, *args: Any) -> None: ..."),
    "Any in an attribute": (public_any, "class C:\n a: Any = 1"),
    "Any in an alias": (public_any, "A: TypeAlias = list[Any]"),
    "Any awaited": (public_any, "def f() -> Coroutine[Any, Any, Any]: ..."),
    "a relative import": (imports, "from . import calls"),
    "a lazy import": (imports, "def f():\n import runtime.calls"),
    "an import for types": (imports, "if TYPE_CHECKING:\n from runtime.calls import Ref"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_checks_see_what_they_look_for(what: str) -> None:
    check, source = FORBIDDEN[what]
    assert check(source)


ALLOWED = {
    "a narrow except": (broad_excepts, "try: pass\nexcept (OSError, ValueError): pass"),
    "no shield": (shields, "trio.CancelScope(shield=False)"),
    "a private name of ours": (private_trio, "self._closed = True"),
    "a string that is none": (public_any, "def f(x: Literal['Any', 'raise']) -> None: ..."),
    "a coroutine": (public_any, "def f() -> Coroutine[Any, Any, int]: ..."),
    "a private function": (public_any, "def _f(x: Any) -> None: ..."),
    "an implementation": (
        public_any,
        "@overload\ndef f(x: int) -> int: ...\ndef f(x: Any) -> Any: ...",
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_the_checks_let_pass_what_is_allowed(what: str) -> None:
    check, source = ALLOWED[what]
    assert not check(source)


def test_a_test_file_is_about_the_longest_name_that_fits() -> None:
    assert module_of("test_process", "runtime") == "process"
    assert module_of("test_process_links", "runtime") == "process"
    assert module_of("test_process_table", "runtime") == "process_table"
    assert module_of("test__trio", "runtime") == "_trio"
    assert module_of("test_processes", "runtime") is None


def test_names_of_modules_avoid_words_that_say_nothing() -> None:
    empty = re.compile(r"(^|\.)(types|core|utils?|helpers?|base|common|misc)$")
    assert [name for name in MODULES if empty.search(name)] == []
