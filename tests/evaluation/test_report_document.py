import copy
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from drawn import draw_face
from evaluation_results import MODELS, make_cost, make_results, shown_numbers

from unveil.data.faces import FaceSet
from unveil.errors import DataError, UsageError
from unveil.evaluation import report_document, tables
from unveil.evaluation.benchmark import faces_sha256
from unveil.evaluation.candidates import Spec, specify
from unveil.evaluation.document import Figure, Plot, Table
from unveil.evaluation.figures import worst_figures
from unveil.evaluation.pages import page, write
from unveil.evaluation.protocols import PROTOCOLS
from unveil.evaluation.report import OTHERS
from unveil.evaluation.report_document import Shown, compile_document
from unveil.files import read_image
from unveil.imaging import resize

RESULTS, COST = make_results(), make_cost()
FACES = FaceSet(tuple("abc"), np.stack([draw_face(i) for i in range(3)]))


class Reader(HTMLParser):
    """Collects tags that are not closed, places that a browser would load, and the text."""

    VOID = ("meta", "img", "use", "path", "link")

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "srcset", "href", "xlink:href", "data", "action", "poster"):
                self.loads.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


@pytest.fixture(scope="module")
def html():
    return page(compile_document([RESULTS, COST]))


def test_the_page_holds_every_number(html):
    text = Reader(html).text
    found = set(re.findall(r"[0-9a-f]{64}|\d[\d,]*(?:\.\d+)?", text))
    wanted = {number.lstrip("-+") for number in shown_numbers(RESULTS)}
    assert wanted <= found
    assert len(wanted) > 300
    for of in COST["models"].values():
        ms = of["milliseconds"]
        assert f"{ms['median']:.1f} ({ms['minimum']:.1f} to {ms['maximum']:.1f})" in text
        assert {f"{of['parameters']:,}", f"{of['relative']:.2f}"} <= found
        assert {f"{of['peak_megabytes']:.0f}", f"{of['file_bytes'] / 1e6:.2f}"} <= found
        if of["multiply_adds"]:
            assert f"{of['multiply_adds'] / 1e9:.3f}" in found


def test_learned_models_that_are_as_fast_are_named():
    (table,) = tables.cost(COST)
    assert "Of the other learned models, none takes as little time as `lite`" in table.note
    changed = copy.deepcopy(COST)
    for name in ("paper", "telea"):  # of which the second learned nothing
        changed["models"][name]["relative"] = 0.9
    assert "models, `paper` takes as little" in tables.cost(changed)[0].note
    changed["models"] |= dict.fromkeys(("b", "c"), changed["models"]["paper"])
    assert "models, `paper`, `b` and `c` take as little" in tables.cost(changed)[0].note


def test_tables_of_distances_say_who_was_trained_with_their_features():
    for (table,) in (tables.table_3(RESULTS), tables.ahead(RESULTS)):
        assert "SqueezeNet features that `lite` was trained with" in table.note
    without = copy.deepcopy(RESULTS)
    for mask_set in without["sets"].values():
        for scores in (*mask_set["models"].values(), *mask_set["differences"]):
            for name in [name for name in scores if name.startswith(("perceptual", "frechet"))]:
                del scores[name]
    others = copy.deepcopy(RESULTS)
    for mask_set in others["sets"].values():
        mask_set["models"]["mine"] = mask_set["models"].pop("lite")
    for (table,) in (tables.table_3(without), tables.ahead(without), tables.table_3(others)):
        assert "SqueezeNet" not in table.note


def test_of_models_that_we_do_not_know_nothing_is_said():
    for models, said in (
        (("lite", "paper", "telea"), True),
        (("lite", "lite@0", "unet"), True),
        (("lite", "mine"), False),
    ):
        note = tables.table_3(make_results(models))[0].note
        assert "features that `lite` was trained with" in note
        assert (", and the other networks were not." in note) == said


def test_the_page_loads_nothing(html):
    reader = Reader(html)
    assert reader.open == []
    assert all(link.startswith(("#", "data:image/")) for link in reader.loads)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", html)


def test_signs_say_who_is_ahead(html):
    pair = RESULTS["sets"]["rectangle-10-15"]["differences"][0]
    changed = copy.deepcopy(RESULTS)
    for half, mark in ((0.1, "strong"), (9.0, None)):
        estimate = {"mean": 1.234, "low": 1.234 - half, "high": 1.234 + half, "n": 30}
        for name in ("psnr_pasted", "perceptual_pasted"):
            changed["sets"]["rectangle-10-15"]["differences"][0][name] = estimate
        text = page(compile_document([changed]))
        better = f"+1.23 ({1.234 - half:.2f} to {1.234 + half:.2f})"
        worse = f"+1.2340 ({1.234 - half:.4f} to {1.234 + half:.4f})"
        assert (f"<strong>{better}</strong>" in text) == (mark == "strong")
        assert (f"<em>{worse}</em>" in text) == (mark == "strong")
        (table,) = tables.ahead(changed)
        of = table.note.split(f"of `{pair['b']}` in ")[1].split(";")[0]
        assert ("PSNR at 10-15 %" in of) == (mark is None)
        assert "perceptual distance at 10-15 %" in of
    assert "`lite` is not ahead of" in compile_document([changed]).markdown("x")


def test_another_detail_alone_is_no_other_model():
    document = compile_document([make_results(models=("lite", "lite@0"))])
    assert "is ahead of all" not in document.markdown("x")
    assert "differences, face by face" in document.markdown("x")


def test_every_model_is_on_the_plots():
    plots = [b for b in compile_document([RESULTS, COST]).blocks() if isinstance(b, Plot)]
    assert len({plot.name for plot in plots}) == len(plots) == 16
    for plot in plots:
        drawn = set(MODELS) if plot.name.endswith("-ms") else set(MODELS[:2])
        assert {name for name in MODELS if f">{name}<" in plot.svg} == drawn, plot.name
        ET.fromstring(plot.alone)
        assert "currentColor" in plot.svg
        assert "#010203" not in plot.svg + plot.alone


def test_markdown_shows_the_same_tables(tmp_path):
    document = compile_document([RESULTS, COST])
    html_path, path = write(document, tmp_path)
    text = path.read_text(encoding="utf-8")
    for block in document.blocks():
        if isinstance(block, Table):
            assert block.markdown() in text
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (tmp_path / target).stat().st_size > 0
    assert html_path.read_text(encoding="utf-8") == page(document)


def test_names_of_results_lead_to_no_other_folder(tmp_path):
    """A results file from somewhere: names are shown as they are, and files stay in the folder."""
    results, cost = (copy.deepcopy(each) for each in (RESULTS, COST))
    results["sets"] = {"../../evil": results["sets"]["rectangle-10-15"]}
    models = results["sets"]["../../evil"]["models"]
    models["a|b<img>"] = models.pop("telea")
    out = tmp_path / "below" / "page"
    _, path = write(compile_document([results, cost]), out)
    assert {file.parent for file in tmp_path.rglob("*.*")} == {out, out / "pictures"}
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (out / target).stat().st_size > 0
    assert "<img" not in text


def test_cells_hold_bars_and_tags():
    table = Table("a < b", ("model", "x"), (("a|b<img>", "`c|<d>`"),), "a <p>")
    assert table.markdown() == (
        "**a &lt; b**\n\n| model | x |\n|---|---|\n| a\\|b&lt;img> | `c\\|<d>` |\n\na &lt;p>"
    )


def grey(value):
    from unveil.evaluation.candidates import Candidate

    return Candidate(f"grey-{value}", lambda face, mask: np.full_like(face, value))


def test_worst_cases_show_the_faces_of_the_results_in_their_order():
    """Each face of one even colour: the nearer a grey, the better; so the worst are known."""
    mask_set = PROTOCOLS["tables"][0]
    faces = np.stack([np.full((256, 256, 3), 100 + 10 * i, np.uint8) for i in range(6)])
    shown = Shown(FaceSet(tuple("abcdef"), faces), (Spec("a", "grey-100"), Spec("b", "grey-150")))
    results = {
        "differences": [
            {
                "a": "grey-100",
                "b": "grey-150",
                "worst": [
                    {"place": 5, "psnr_hidden": -9.0, "a": 1, "b": 10},
                    {"place": 4, "psnr_hidden": -5.0, "a": 1, "b": 6},
                ],
            }
        ]
    }
    (figure,) = worst_figures([grey(100), grey(150)], shown.faces.faces, mask_set, results)
    rows = {strip.label: strip.picture for strip in figure.strips}
    assert list(rows) == ["occluded", "grey-100", "grey-150", "clean"]
    side = rows["clean"].shape[0]
    assert rows["clean"].shape == (side, 2 * side, 3)
    assert rows["clean"][0, ::side].ravel().tolist() == [150] * 3 + [140] * 3
    mask = resize(mask_set.mask(5).astype(np.float32), side) == 1
    assert (rows["grey-100"][:, :side][mask] == 100).all()
    assert (rows["grey-150"][:, :side][mask] == 150).all()
    assert "-9.00, -5.00" in figure.caption


def test_worst_cases_are_found_among_other_faces(monkeypatch, model):
    specs = (specify(model), specify("telea"))
    monkeypatch.setattr(report_document.figures, "SHOWN", 2)
    document = compile_document([make_results(specs=specs)], Shown(FACES, specs))
    titles = [section.title for section in document.sections]
    assert titles == [
        "Rectangles, as in the paper's Tables 2 and 3",
        "The paper's figures",
        "The worst cases",
        "What is measured",
    ]
    shown = [b for b in document.blocks() if isinstance(b, Figure)]
    names = [figure.name for figure in shown]
    assert names[:5] == ["figure-3", "figure-5-stand-in", "figure-6", "figure-7", "figure-8"]
    # One colour for everybody is worse than what Telea makes of a drawn face.
    assert names[5:] == [f"worst-{s.name}-telea" for s in PROTOCOLS["tables"]]
    worst = shown[-1]
    losses = [float(x) for x in re.findall(r"-\d+\.\d\d", worst.caption)]
    assert losses == sorted(losses)
    assert page(document).count("data:image/webp") == sum(len(f.strips) for f in shown)


def test_other_weights_than_those_measured_are_refused(model):
    specs = (specify(model), specify("telea"))
    results = make_results(models=("stand-in", "telea"))
    results["models"]["stand-in"]["sha256"] = {"face": "other"}
    with pytest.raises(UsageError, match="stand-in: its weights are not those"):
        compile_document([results], Shown(FACES, specs))
    with pytest.raises(UsageError, match="two results"):
        compile_document([RESULTS, RESULTS])


def test_every_protocol_has_a_title():
    assert {*PROTOCOLS, *OTHERS} <= report_document.TITLES.keys()


def test_training_curves(tmp_path):
    log = tmp_path / "mine.csv"
    log.write_text("step,faces,seconds,name,value\n1,10,1,psnr_pasted,20\n2,20,2,psnr_pasted,25\n")
    # Under another name a log tells PSNR of other masks, which stands on no axis with this one.
    other = tmp_path / "other.csv"
    other.write_text("step,faces,seconds,name,value\n1,10,1,psnr_10_15,30\n2,20,2,mask_iou,0.9\n")
    document = compile_document([RESULTS], logs=[log, other])
    plots = {b.name: b for b in document.blocks() if isinstance(b, Plot)}
    assert {name: (">mine<" in p.svg, ">other<" in p.svg) for name, p in plots.items()} == {
        "training-psnr-pasted": (True, False),
        "training-psnr-10-15": (False, True),
        "training-mask-iou": (False, True),
    }
    assert (
        "PSNR behind the paper's rectangles (4-15 % hidden)" in plots["training-psnr-pasted"].title
    )
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"bad\.csv"):
        compile_document([RESULTS], logs=[tmp_path / "bad.csv"])


def test_logs_of_one_name_are_told_apart_by_their_folders(tmp_path):
    logs = [tmp_path / place for place in ("one/log.csv", "two/log.csv", "three.csv")]
    for i, log in enumerate(logs):
        log.parent.mkdir(exist_ok=True)
        rows = "".join(f"{k},{k},1,psnr_pasted,{20 + i + k}\n" for k in range(2))
        log.write_text("step,faces,seconds,name,value\n" + rows)
    (plot,) = (b for b in compile_document([RESULTS], logs=logs).blocks() if isinstance(b, Plot))
    assert all(f">{label}<" in plot.svg for label in ("one/log", "two/log", "three"))


def test_pictures_can_be_read(tmp_path, model, monkeypatch):
    monkeypatch.setattr(report_document.figures, "SHOWN", 3)
    specs = (specify(model),)
    results = make_results(specs=specs)
    results["data"]["sha256"] = faces_sha256(FACES.faces)
    write(compile_document([results], Shown(FACES, specs)), tmp_path)
    clean = read_image(tmp_path / "pictures" / "figure-6-0.webp").photo
    side = clean.shape[0]
    expected = np.hstack([resize(face, side) for face in FACES.faces])
    assert np.abs(clean.astype(int) - expected).mean() < 4
