import ast

import pytest

from unveil.evaluation import code, protocols
from unveil.evaluation.arms import Arm
from unveil.evaluation.candidates import modules, specify
from unveil.evaluation.code import PACKAGE, code_sha256, sources
from unveil.evaluation.identity import _code
from unveil.evaluation.protocols import PROTOCOLS, RECOGNITION


def names(*roots):
    return {path.relative_to(code.PACKAGE).as_posix() for path in sources(*roots)}


def parsed(path):
    """What a file imports of ours, by Python's own parser."""
    todo, found = [ast.parse(path.read_bytes())], set()
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        todo += ast.iter_child_nodes(node)
    return {file for name in found if name.startswith("unveil.") and (file := code._file(name))}


def test_imports_are_read_as_python_reads_them():
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        read = {file for name in code._imported(text) if (file := code._file(name))}
        assert read >= parsed(path), path
        # bench.py holds the text of another program.
        assert read == parsed(path) or path.name == "bench.py", path


@pytest.fixture
def package(tmp_path, monkeypatch):
    files = {
        "__init__.py": "from unveil import other\n",
        "a.py": (
            "if TYPE_CHECKING:\n    from unveil.types import A\n\n    import unveil.other\n\n"
            "from unveil.inner import (\n    b,\n    nothing,\n)\n"
        ),
        "inner/__init__.py": "",
        "inner/b.py": "def late():\n    import unveil.c\n",
        "c.py": "from unveil import a\n",
        "types.py": "",
        "other.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    return tmp_path


def test_all_that_is_imported_counts_and_nothing_else(package):
    found = {"a.py", "inner/__init__.py", "inner/b.py", "c.py"}
    assert names("unveil.a") == found
    hashed = code_sha256.__wrapped__
    before = hashed("unveil.a")
    for name in ("a.py", "inner/__init__.py", "inner/b.py", "c.py", "types.py", "other.py"):
        text = (package / name).read_text()
        (package / name).write_text(text + "# changed\n")
        assert (hashed("unveil.a") != before) == (name in found), name
        (package / name).write_text(text)
    assert hashed("unveil.a") == before


def test_what_hides_faces_is_the_code_that_draws_it(monkeypatch):
    monkeypatch.setattr(protocols, "code_sha256", lambda *roots: " ".join(names(*roots)))
    shapes, drawn = {"occlusion/shapes.py", "evaluation/changes.py"}, "occlusion/objects/fabric.py"
    for each in (*PROTOCOLS["paper"], *PROTOCOLS["robust"], *PROTOCOLS["objects"], *RECOGNITION):
        found = each.drawn_by(range(1)).split()
        assert shapes <= set(found), each.name
        assert (drawn in found) == each.posed, each.name


def test_scores_depend_on_what_restores_and_measures(model):
    prior = PACKAGE / "runtime" / "lite-prior.npz"
    common = {"evaluation/metrics.py", "evaluation/frechet.py", "imaging.py"}
    own = {
        "telea": {"evaluation/baselines.py"},
        "mean-face": {"evaluation/baselines.py", "models/prior.py", "models/face_vector.py"},
        model: {"evaluation/candidates.py", "runtime/session.py", "models/prior.py"},
    }
    for name, expected in own.items():
        found = names("unveil.evaluation.scores", *modules(specify(name, prior)))
        assert common | expected <= found, name
        # Intervals are made of kept scores, which stay when another interval is wanted.
        assert not {"evaluation/intervals.py", "evaluation/summary.py"} & found, name
    assert not {"models/prior.py", "runtime/session.py"} & names(*modules(specify("telea")))
    seen = {"losses/perceptual.py", "models/squeezenet.py"}
    assert seen <= names("unveil.evaluation.perception")


def test_embeddings_depend_on_the_whole_restorer_where_it_works(monkeypatch, model):
    monkeypatch.setattr("unveil.evaluation.identity.code_sha256", lambda *roots: names(*roots))
    whole = {"aligned.py", "faces/hidden.py", "models/face_vector.py", "runtime/model.py"}
    assert "models/faceres.py" in _code(None)
    assert whole <= _code(Arm.of(model))
    assert not whole & _code(None)
    assert not whole & _code(Arm.of("telea"))
    assert "evaluation/baselines.py" in _code(Arm.of("telea"))
