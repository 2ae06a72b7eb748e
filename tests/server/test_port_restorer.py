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

const open = (points, occluder) => {
  const counts = { moves: 0, fills: 0 };
  const model = {
    find: async () => occluder,
    guess: async (face) => face,
    fill: async (face) => (counts.fills++, face),
  };
  const found = points.map((each) => ({ box: [0, 0, 256, 256], points: each, score: 1 }));
  const detector = { find: async () => found, points: async () => null };
  const aligner = { run: async () => (counts.moves++, { moved: new Float32Array(4) }) };
  return [new Restorer(model, detector, aligner, async () => undefined), counts];
};

/** How often a face's frame is asked to move. */
export const moves = async (photo, points, mask) => {
  const [restorer, counts] = open([points], null);
  await restorer.restore({ id: 1, photo, mask, aligned: false, faces: 9 }, []);
  return counts.moves;
};
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("restorer"), more=MORE)


class Counted:
    """As the model, detector and aligner of the port's."""

    moves = 0

    def guess(self, face, hidden):
        return face

    def points(self, photo):
        return None

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
        Outliner(counted, counted, counted).align([Seen(photo, detection, mask)])
        theirs.append(counted.moves)
    assert ours == theirs == [0, 0, 1, 0], hiding
