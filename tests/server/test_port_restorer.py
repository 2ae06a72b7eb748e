"""The page's own pipeline over networks that say what the test wants, against the library's."""

import numpy as np
import photos
import pytest
from port import ESBUILD, NODE, Port

from unveil.faces.detect import Detection
from unveil.outline import Outliner, Seen

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)
POINTS = np.float32([[99, 132], [155, 131], [127, 166], [103, 190], [151, 189]])
MORE = """
import { Restorer } from "./src/device/restorer";

const open = (points, occluders) => {
  const counts = { finds: 0, moves: 0, fills: 0 };
  const model = {
    find: async () => occluders[counts.finds++ % occluders.length],
    fill: async (face) => (counts.fills++, face),
  };
  const found = points.map((each) => ({ box: [0, 0, 256, 256], points: each, score: 1 }));
  const detector = { find: async () => found };
  const aligner = { run: async () => (counts.moves++, { moved: new Float32Array(4) }) };
  return [new Restorer(model, detector, aligner, async () => undefined), counts];
};

/** How often a face's frame is asked to move. */
export const moves = async (photo, points, mask) => {
  const [restorer, counts] = open([points], []);
  await restorer.restore({ id: 1, photo, mask, aligned: false, faces: 9 }, []);
  return counts.moves;
};

/** What a look and a restoration say of a photo, and how many faces each fills. */
export const both = async (photo, points, occluders, aligned) => {
  const answers = [];
  for (const manner of [null, { detail: 1, seed: null }]) {
    const [restorer, counts] = open(points, occluders);
    const wish = { id: 1, photo, mask: null, aligned, faces: 9 };
    const [{ invented, faces }] = await restorer.restore(wish, [manner]);
    answers.push({ invented, faces, fills: counts.fills });
  }
  return answers;
};
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("restorer"), more=MORE)


class Counted:
    """As the model and the aligner of the port's."""

    moves = 0

    def better_frame(self, face, hidden):
        self.moves += 1
        return np.eye(2, 3)


def test_a_frame_moves_where_a_part_is_hidden_but_not_all(port):
    photo = photos.scene(*photos.TWO)[0]
    points = POINTS + np.float32([60, 40])
    hiding = {"nothing": 0, "next to nothing": 63, "a part": 200, "all": 400}
    masks = []
    for right in hiding.values():
        masks.append(np.zeros(photo.shape[:2], bool))
        masks[-1][:, :right] = True
    ours = port.call(*[["moves", photo, points.tolist(), mask] for mask in masks])
    theirs = []
    for mask in masks:
        counted = Counted()
        detection = Detection((0.0, 0.0, 256.0, 256.0), points, 1.0)
        Outliner(counted, counted).align([Seen(photo, detection, mask)])
        theirs.append(counted.moves)
    assert ours == theirs == [0, 0, 1, 0], hiding


@pytest.mark.parametrize("aligned", [False, True])
def test_a_look_says_what_a_restoration_would_and_fills_nothing(port, aligned):
    """Of two faces that overlap, with what hangs below them; and of one that is aligned."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    points = [(POINTS * size + where).tolist() for size, where in ((1.0, 20), (1.3, (130, 60)))]
    near, far = np.zeros((2, 256, 256), np.float32)
    near[170:, 80:180] = 1
    far[130:225, 90:170] = 1  # the same from further away, where it has an end
    ((look, whole),) = port.call(["both", noise, points, [near, near, far], aligned])
    assert look["fills"] == 0
    assert whole["fills"] == (1 if aligned else 4)  # two faces, and what hangs below each
    assert 0.03 < look["invented"].mean() < 0.5
    assert np.array_equal(look["invented"], whole["invented"])
    assert look["faces"] == whole["faces"]
    assert len(look["faces"]) == (1 if aligned else 2)
