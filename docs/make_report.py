"""Makes `docs/report/` and the plot of reliability from the committed results; brings tables and
manifests up to them.

    python docs/make_report.py

The faces in it are drawn ones and scikit-image's astronaut, which is in the public domain.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from drawn import write_faces  # noqa: E402

from unveil.data.faces import load_faces  # noqa: E402
from unveil.errors import WeightsError  # noqa: E402
from unveil.evaluation import reliability  # noqa: E402
from unveil.evaluation.candidates import Spec, specify  # noqa: E402
from unveil.evaluation.manifest_scores import write_scores  # noqa: E402
from unveil.evaluation.pages import write  # noqa: E402
from unveil.evaluation.protocols import PROTOCOLS  # noqa: E402
from unveil.evaluation.report import OPENING, OTHERS, read_results, update_file  # noqa: E402
from unveil.evaluation.report_document import Shown, compile_document  # noqa: E402
from unveil.runtime.weights import SHIPPED  # noqa: E402

DRAWN = 11
LOGS = ("paper", "lite")


def find(label: str) -> Spec:
    """The model that results call so: shipped, or among the weights for research."""
    prior = ROOT / "src" / "unveil" / "runtime" / "lite-prior.npz"
    try:
        return specify(label, prior)
    except WeightsError:
        return specify(str(ROOT / "benchmarks" / "weights" / label), prior)


def main() -> None:
    folder = ROOT / "benchmarks" / "results"
    paths = [folder / f"{name}.json" for name in (*PROTOCOLS, *OTHERS)]
    results = [read_results(path) for path in paths if path.exists()]
    for weights in (SHIPPED, ROOT / "benchmarks" / "weights"):
        write_scores(weights, results)
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "faces"
        write_faces(place, DRAWN, 256)
        sources = [ROOT / "examples" / "astronaut.png", place]
        faces = load_faces(sources, cache=Path(made) / "cache")
        specs = tuple(find(label) for label in results[0]["models"])
        logs = [ROOT / "benchmarks" / "training" / f"{name}.csv" for name in LOGS]
        document = compile_document(results, Shown(faces, specs), logs)
    for path in write(document, ROOT / "docs" / "report"):
        print(path.relative_to(ROOT))
    by_name = {each["protocol"]: each for each in results}
    reliability.plot(by_name["reliability"], ROOT / "docs" / "images" / "reliability.png")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if OPENING.search(path.read_text(encoding="utf-8")):
            print(path.relative_to(ROOT), *update_file(path, results))


if __name__ == "__main__":
    main()
