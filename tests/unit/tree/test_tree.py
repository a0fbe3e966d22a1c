"""What holds for every file of the tree."""

import inspect
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from prefect import Flow
from pydantic import TypeAdapter

from tests.support.paths import ROOT
from tests.support.tree import files, module_names, modules

MAX_FUNCTION_LINES = 40
LIBRARIES = {"prefect", "pymongo", "bson", "gridfs", "httpx", "pydantic", "pydantic_settings"}
MOCKS = {"mock", "unittest.mock", "pytest_mock", "mongomock", "respx"}
MOCK_NAMES = {"MagicMock", "AsyncMock", "Mock", "mocker"}
OWNERS_HOST = ".".join(map(str, (192, 168, 1, 10)))
PLACE = re.compile(r"://|--(index|extra-index|find-links|trusted)|(^|\s|@ )(/|~|\.\.?/|[A-Z]:\\)")
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
SENTENCE = re.compile(r"[A-Z][^.]*(\.\S[^.]*)*\.", re.IGNORECASE)
LEADS_OUTSIDE = re.compile(
    r"referenc[e] (?:section|\()|the referenc[e]'s|\bseeds? 00\d|\bDESI[G]N\b|\bHOU[S]E\b"
    r"|\b(?:the|this) (?:brief|paper|handbook|issue)\b|\bthe owne[r]'s\b"
    r"|\b(?:10(?:\.\d+){3}|(?:192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d+){2})\b(?!/)"
)
TESTS_OF_ADDRESSES = {
    "tests/services/host/test_host_settings.py",
    "tests/unit/net/test_address_ranges.py",
    "tests/unit/faces/sources/test_downloads.py",
}
"""Their private addresses are values of a test, not places."""

CITED_FILE = re.compile(
    r"(?<![\w/.-])(?:benchmarks|blocks|db|deployments|docs|flows|samples|storycanvas|tasks|tests)"
    r"/[\w./-]*\.(?:py|md|json)\b"
)
CITED_PART = re.compile(r'\b(docs/[\w/-]+\.md), "?([A-Z]\w+)')
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())[
    "deployments"
]


def is_private(name: str) -> bool:
    library, *parts = name.split(".")
    return library in LIBRARIES and any(part.startswith("_") for part in parts)


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    file, name = deployment["entrypoint"].split(":")
    found = getattr(import_module(file.removesuffix(".py").replace("/", ".")), name)
    assert isinstance(found, Flow)
    return found


def name_of(deployment: dict[str, Any]) -> str:
    return str(deployment["name"])


every_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)


def test_nothing_private_of_a_library_is_imported() -> None:
    private = {
        (module, name)
        for module, content in modules().items()
        for name in filter(is_private, content.imports)
    }

    assert private == set()


def test_nothing_is_mocked() -> None:
    found = {
        (module, name)
        for module, content in modules().items()
        for name in (content.imports | content.names) & (MOCKS | MOCK_NAMES)
    }

    assert found == set()


def test_the_owners_own_address_is_nowhere() -> None:
    assert [path for path in files() if OWNERS_HOST.encode() in path.read_bytes()] == []


def texts() -> dict[str, str]:
    """Read everything that people wrote, by path; the lines of a paragraph are joined."""
    return {
        str(path.relative_to(ROOT)): re.sub(r"\s*\n\s*(?:# )?", " ", path.read_text())
        for path in files()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".service"} or path.name == "Makefile"
    }


def test_no_citation_leads_out_of_the_repository() -> None:
    found = {
        (name, match[0])
        for name, text in texts().items()
        if name not in TESTS_OF_ADDRESSES
        for match in LEADS_OUTSIDE.finditer(text)
    }

    assert found == set()


def test_every_file_and_heading_that_code_cites_exists() -> None:
    cited = {name: text for name, text in texts().items() if not name.endswith(".md")}
    missing = {
        (name, path)
        for name, text in cited.items()
        for path in CITED_FILE.findall(text)
        if not (ROOT / path).exists()
    }
    missing |= {
        (name, f"{page}, {part}")
        for name, text in cited.items()
        for page, part in CITED_PART.findall(text)
        if not re.search(rf"(?im)^#+ .*\b{part}", (ROOT / page).read_text())
    }

    assert missing == set()


def test_requirements_name_no_index_and_no_place_on_a_machine() -> None:
    lines = [
        line
        for path in (ROOT / "requirements").glob("*.txt")
        for line in path.read_text().splitlines()
        if "# " not in line
    ]

    assert lines
    assert [line for line in lines if PLACE.search(line)] == []


def test_functions_are_short() -> None:
    long = [
        f"{module}:{function}"
        for module, content in modules().items()
        if not module.startswith("tests/")
        for function, lines in content.functions.items()
        if lines > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_no_module_has_a_vague_name() -> None:
    parts = {part for module in module_names() for part in Path(module).with_suffix("").parts}

    assert parts & VAGUE == set()


def test_a_workers_run_logs_what_a_run_here_logs() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["prefect"]["logging"]
    pool = yaml.safe_load((ROOT / "prefect.yaml").read_text())["definitions"]["work_pool"]
    loggers = settings["extra_loggers"]

    assert pool["job_variables"]["env"]["PREFECT_LOGGING_EXTRA_LOGGERS"] == loggers
    assert [name for name in loggers.split(",") if not (ROOT / name).is_dir()] == []


@every_deployment
def test_a_deployment_is_called_as_its_flow(deployment: dict[str, Any]) -> None:
    stands = "standing" in deployment["tags"]
    variants = {"-standing"} if stands else {"", "-often"}
    assert deployment["name"].removeprefix(flow_of(deployment).name) in variants


@every_deployment
def test_every_parameter_is_described_in_a_sentence(deployment: dict[str, Any]) -> None:
    properties = flow_of(deployment).parameters.properties
    descriptions = {name: field.get("description", "") for name, field in properties.items()}

    assert {name for name, text in descriptions.items() if not SENTENCE.fullmatch(text)} == set()


@every_deployment
def test_only_what_no_default_can_stand_for_has_to_be_typed(deployment: dict[str, Any]) -> None:
    required = flow_of(deployment).parameters.required
    typed = (
        *("character_id", "target", "operations", "name", "picture"),
        *("operation_type", "parameters", "job_type", "input_data", "document_id"),
        "run_id",
    )

    assert [name for name in required if not name.startswith(typed)] == []


@every_deployment
def test_every_default_is_valid(deployment: dict[str, Any]) -> None:
    function = flow_of(deployment).fn
    hints = get_type_hints(function, include_extras=True)

    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not parameter.empty:
            TypeAdapter(hints[name]).validate_python(parameter.default)
