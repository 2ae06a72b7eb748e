import numpy as np
from drawn import draw_face

from unveil.evaluation.candidates import Candidate
from unveil.evaluation.grid import TITLE_HEIGHT, draw_grid, write_grid
from unveil.evaluation.protocols import PROTOCOLS
from unveil.files import read_image

SET = PROTOCOLS["paper"][0]
GREY = Candidate("grey", lambda face, mask: np.full_like(face, 128))


def test_of_more_faces_than_there_are_each_is_shown_once():
    faces = np.stack([draw_face(i) for i in range(3)])
    clean = draw_grid([], faces, SET, 7)[TITLE_HEIGHT:, 256:]
    np.testing.assert_array_equal(clean, faces.reshape(3 * 256, 256, 3))


def test_cells_are_occluded_pasted_and_clean(tmp_path):
    faces = np.stack([draw_face(i) for i in range(6)])
    write_grid(tmp_path / "grid.png", [GREY], faces, SET, 2)
    grid = read_image(tmp_path / "grid.png").photo
    np.testing.assert_array_equal(grid, draw_grid([GREY], faces, SET, 2))
    assert grid.shape == (TITLE_HEIGHT + 2 * 256, 3 * 256, 3)
    for row, place in enumerate((0, 3)):
        top = TITLE_HEIGHT + row * 256
        occluded, pasted, clean = np.split(grid[top : top + 256], 3, axis=1)
        mask = SET.mask(place)
        np.testing.assert_array_equal(clean, faces[place])
        assert (occluded[mask] == 0).all()
        assert (pasted[mask] == 128).all()
        for cell in (occluded, pasted):
            np.testing.assert_array_equal(cell[~mask], clean[~mask])


def test_treatments_are_drawn_at_their_own_places_and_whole():
    """One that fills everything by mistake is seen to."""
    faces = np.stack([draw_face(i) for i in range(2)])
    rows = draw_grid([GREY], faces, SET, 2, places=(5, 9))[TITLE_HEIGHT:]
    for face, row, place in zip(faces, np.split(rows, 2), (5, 9), strict=True):
        occluded, output, clean = np.split(row, 3, axis=1)
        np.testing.assert_array_equal(clean, face)
        np.testing.assert_array_equal(occluded, SET.example(face, place)[1])
        assert (output == 128).all()
