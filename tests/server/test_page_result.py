"""What the page offers of a result: detail, other faces, the invented pixels."""

import numpy as np
import pytest
from browser import EXAMPLE, MARKS, MILLISECONDS, downloaded, set_range, stage_of
from serving import running

from unveil.files import read_image
from unveil.output import TINT
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.server.app import Settings, create_app

pytestmark = MARKS


def test_detail_and_other_faces(browser, tmp_path):
    """With the shipped model: the slider and the samples are the library's."""
    library = Restorer(threads=1)
    if not library.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    face = read_image(EXAMPLE).photo
    with running(create_app(Settings(library.model.weights.name, 1))) as server:
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(MILLISECONDS)
        page.goto(server.url)
        page.set_input_files("#file", EXAMPLE)
        stage_of(page, "found")
        page.click("#restore")
        stage_of(page, "restored")
        assert np.array_equal(downloaded(page), library.restore(face).photo)
        assert page.input_value("#detail") == f"{100 * Manner().detail:.0f}"
        with page.expect_response("**/v1/restore"):
            set_range(page, "detail", 40)
        page.wait_for_selector("#stage[aria-busy=false]")
        soft = library.restore(face, detail=0.4)
        assert np.array_equal(downloaded(page), soft.photo)
        page.click("#others")
        page.click("#variants button:nth-child(3)")
        drawn = library.sample(face, 3, detail=0.4)
        assert np.array_equal(downloaded(page), drawn[1].photo)
        page.check("#with-overlay")
        marked = downloaded(page).astype(float)
        half = (drawn[1].photo + np.array(TINT, float)) / 2
        assert np.abs(marked - half)[drawn[1].invented].max() <= 0.5
        page.close()
