"""The documentation is true: links lead somewhere, tables are the code's, commands and Python run."""

import importlib.util
import re
import shlex
import shutil
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phonoscope import Store, prepare
from phonoscope.cli.main import VERBS, main
from phonoscope.cli.options import parse
from phonoscope.cli.training import parse_training
from phonoscope.flow.failing import _SYSTEM_REASONS
from phonoscope.flow.job import GROUNDED
from phonoscope.job import STEPS, Params, params_from

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
STEP_PAGES = sorted((DOCS / "steps").glob("*.md"))
TYPES = {"float": "float32", "double": "float64"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, kind: str) -> list[str]:
    """What stands between ```KIND and ```."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    """Every `phonoscope …` in the shell blocks of a page, as words after it."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [said[1:] for said in words if said and said[0].endswith("phonoscope")]


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub links to them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def desk(puppets, tmp_path, monkeypatch) -> Path:
    """A folder with the films and settings that the pages speak of; we are in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(puppets, "film.mp4")
    Path("interviews").mkdir()
    shutil.copy(puppets, "interviews/one.mp4")
    Path("more.txt").write_text("# a list\nfilm.mp4\n")
    Path("settings.toml").write_text(blocks(DOCS / "how-to.md", "toml")[0])
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target}: there is no such file"
        assert not anchor or anchor in anchors(there), f"{target}: there is no such heading"


@pytest.mark.parametrize("page", STEP_PAGES, ids=name_of)
def test_settings_are_those_of_the_code(page, tables):
    text = page.read_text(encoding="utf-8")
    section = "clock" if page.stem == "ingest" else page.stem
    if section in STEPS and STEPS[section].params is None:
        assert tables.PLACE.findall(text) == []
        return
    assert tables.PLACE.findall(text) == [section]
    assert tables.filled(text) == text, "run `python docs/tables.py`"
    rows = re.findall(r"^\| `(\w+)` \| .* \| `(.+?)` \| .+ \|$", tables.table(section), re.MULTILINE)
    made = getattr(Params(), section)
    said = {name: value.strip('"') for name, value in rows}
    assert said == {name: str(getattr(made, name)) for name in made.__dataclass_fields__}


def test_every_step_has_its_page_with_every_part():
    assert {page.stem for page in STEP_PAGES} == {"ingest", *STEPS}
    for page in STEP_PAGES:
        wanted = {"what-it-makes", "laws", "settings", "sources", "limits"}
        assert wanted <= anchors(page), name_of(page)
        assert "](../pictures/" in page.read_text(encoding="utf-8"), f"{name_of(page)} has no picture"


def test_every_picture_is_shown_and_small():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in sorted((DOCS / "pictures").iterdir()):
        assert f"pictures/{picture.name}" in text, f"nobody shows {picture.name}"
        assert picture.stat().st_size <= (400_000 if picture.stem == "report" else 150_000), picture.name


def test_tests_that_show_what_seeds_do_exist():
    text = (DOCS / "seeds.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file} has no {test}"


def test_what_is_built_of_the_seeds_is_counted():
    text = (DOCS / "seeds.md").read_text(encoding="utf-8")
    here = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|(.*)\|$", text, re.MULTILINE)
    rows = [(state, shown) for state, shown in here if state not in ("here", "---")]
    kinds = ("not yet", "partly", "out of scope")
    count = {kind: sum(state.startswith(kind) for state, _ in rows) for kind in kinds}
    said = f"Of {len(rows)} rows {len(rows) - sum(count.values())} are done, {count['partly']} partly, "
    assert said + f"{count['not yet']} not yet, {count['out of scope']} is out of scope." in text
    assert all(state != "not yet" or not shown.strip() for state, shown in rows)
    assert all(shown.strip() for state, shown in rows if state.startswith("partly")), "what is partly built is shown"


def test_every_reason_to_fail_is_told():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    raised = set(re.findall(r'RecordingFailed\(\s*"([\w-]+)"', source))
    assert {"missing", "unreadable", "no-video"} <= raised
    told = (DOCS / "steps" / "ingest.md").read_text(encoding="utf-8")
    reasons = raised | set(_SYSTEM_REASONS.values()) | set(GROUNDED) | {"error", "out-of-memory"}
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in told] == []


def test_columns_are_those_of_the_store(desk):
    (outcome,) = prepare(["film.mp4"], "films").carry_out()
    assert outcome.failure is None
    text = (DOCS / "conventions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.parquet)` \| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE)
    folder = Store("films")["film"].folder
    for file in sorted({*(path.name for path in folder.glob("*.parquet")), "index.parquet"}):
        schema = pq.read_schema(folder / file if file != "index.parquet" else "films/index.parquet")
        there = [(column.name, _type(column.type)) for column in schema]
        assert [(column, kind) for name, column, kind in rows if name == file] == there, file
    listed = set(re.findall(r"`([\w.]+?\.(?:npy|json|csv|flac|parquet))`", text))
    assert {path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."} <= listed


def _type(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.list_size} × {_type(kind.value_type)}"
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    return TYPES.get(str(kind), str(kind))


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name_of)
def test_commands_are_understood(page, desk):
    for verb, *arguments in commands(page):
        assert verb in VERBS, verb
        kind = getattr(import_module(f"phonoscope.cli.{verb}"), verb.capitalize())
        if verb == "train":
            parse_training(kind, arguments)
        else:
            parse(kind, arguments, with_params=verb in ("prepare", "run"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_in_toml_are_understood(page):
    for block in blocks(page, "toml"):
        values = tomllib.loads(block)
        if "project" not in values:
            params_from(values)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python run")], ids=name_of)
def test_python_runs(page, desk, monkeypatch):
    if page.stem == "start":
        list(prepare(["film.mp4"], "films").carry_out())
    scratch = ModuleType("scratch")
    monkeypatch.setitem(sys.modules, "scratch", scratch)
    for block in blocks(page, "python run"):
        exec(compile(block, name_of(page), "exec"), scratch.__dict__)


@pytest.mark.slow
@pytest.mark.parametrize("page", [DOCS / "start.md", DOCS / "how-to.md"], ids=name_of)
def test_commands_run(page, desk):
    for verb, *arguments in commands(page):
        if verb in ("models", "doctor", "completion"):
            continue  # they speak of this machine, may fetch, or leave by themselves
        assert main([verb, *arguments]) == 0, shlex.join([verb, *arguments])
    if page.stem == "how-to":
        assert Store("films")["one"].recording.rights.licence == "CC BY 4.0"


def test_every_verb_is_told_of():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [verb for verb in VERBS if f"`{verb}`" not in text and f"phonoscope {verb}" not in text] == []
