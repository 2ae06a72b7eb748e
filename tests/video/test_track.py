"""Faces followed: no lag, gaps bridged, people told apart, nothing carried over a cut."""

from dataclasses import replace

import numpy as np
import pytest
from clips import faces
from drawn import draw_face

from unveil.faces.align import CANONICAL_POINTS
from unveil.faces.detect import Detection
from unveil.video import track
from unveil.video.kalman import Step, correct, predict, smoothed
from unveil.video.sighting import Found
from unveil.video.track import DELAY, Tracker

SIDE = 120


class Scene:
    """Drawn people on their ways, and a detector that knows them but for some noise."""

    def __init__(self, ways, seeds, noise=0.0, size=(240, 480), blind=()):
        self.ways, self.seeds, self.noise, self.size, self.blind = ways, seeds, noise, size, blind
        self.faces = [np.clip(draw_face(s, SIDE), 8, 255) for s in seeds]
        self.rng = np.random.default_rng(0)
        ramp = np.linspace(60, 160, size[1])[None, :, None]
        noise = np.random.default_rng(1).integers(0, 30, (size[0] // 8, size[1] // 8, 1))
        self.back = (np.kron(noise, np.ones((8, 8, 3))) + ramp).astype(np.uint8)

    def photo(self, i):
        photo = self.back.copy()
        for face, way in zip(self.faces, self.ways, strict=True):
            x, y = (round(v) for v in way(i))
            left, right = max(0, x), min(self.size[1], x + SIDE)
            photo[y : y + SIDE, left:right] = face[:, left - x : right - x]
        return photo

    def points(self, k, i):
        x, y = (round(v) for v in self.ways[k](i))
        return CANONICAL_POINTS * (SIDE / 256) + np.float32([x, y])

    def look(self, i):
        def look():
            found = []
            for k, way in enumerate(self.ways):
                if (k, i) in self.blind or (k in self.blind and self.behind(k, i)):
                    continue
                points = self.points(k, i) + self.rng.normal(0, self.noise, (5, 2))
                x, y = way(i)
                box = (x + 25, y + 25, x + SIDE - 25, y + SIDE - 8)
                points = points.astype(np.float32)
                found.append(Found(Detection(box, points, 0.9), points))
            return found

        return look

    def behind(self, k, i):
        """Whether somebody drawn later covers this one."""
        gaps = [abs(self.ways[k](i)[0] - way(i)[0]) for way in self.ways[k + 1 :]]
        return any(gap < 70 for gap in gaps)

    def run(self, n, live=False):
        tracker, delay, seen = Tracker(live), 0 if live else DELAY, []
        for i in range(n):
            tracker.add(self.photo(i), self.look(i))
            if i >= delay:
                seen.append(tracker.sightings(i - delay))
        return seen + [tracker.sightings(i) for i in range(n - delay, n)]


@pytest.mark.parametrize("live", [False, True])
def test_a_moving_face_is_followed_without_lag(live):
    scene = Scene([lambda i: (40 + 4 * i, 60)], [1], noise=2.0)
    seen = scene.run(60, live)
    assert all(len(s) == 1 for s in seen)
    off = np.array(
        [s[0].points.mean(axis=0) - scene.points(0, i).mean(axis=0) for i, s in enumerate(seen)]
    )
    # A lag of one frame would be four pixels.
    assert np.abs(off.mean(axis=0)).max() < 1
    assert np.abs(off).max() < 3


@pytest.mark.parametrize("live", [False, True])
def test_a_fast_face_is_followed(live):
    scene = Scene([lambda i: (10 + 12 * i, 60)], [1], noise=1.0)
    seen = scene.run(28, live)
    off = [
        np.abs(s[0].points.mean(axis=0) - scene.points(0, i).mean(axis=0)).max()
        for i, s in enumerate(seen)
    ]
    assert max(off[4:]) < 8


def test_points_are_steadier_than_the_detector():
    scene = Scene([lambda i: (150, 60)], [1], noise=3.0)
    steady = np.array([s[0].points for s in scene.run(80)])
    live = np.array([s[0].points for s in scene.run(80, live=True)])
    # The detector's own points jump by 3.4 on average.
    assert np.abs(np.diff(steady, axis=0)).mean() < 0.15
    assert np.abs(np.diff(steady, axis=0)).max() < 1.3
    assert np.abs(np.diff(live, axis=0)).mean() < 0.3


class Drawn(Scene):
    """What hides the face draws the detector's points with it, more and more, then less."""

    def off(self, i):
        return 14 * np.sin(np.pi * i / 48)

    def look(self, i):
        detections = super().look(i)

        def look():
            return [
                replace(one, detection=replace(one.detection, points=one.better + self.off(i)))
                for one in detections()
            ]

        return look


@pytest.mark.parametrize("live", [False, True])
def test_what_an_occluder_does_to_the_points_is_allowed_for_at_every_look(live):
    scene = Drawn([lambda i: (60 + i, 60)], [1])
    off = [s[0].points - scene.points(0, i) for i, s in enumerate(scene.run(49, live))]
    # The detector's own points are off by 9 on average.
    assert np.abs(off).mean() < 2.2


def test_a_gap_of_the_detector_is_bridged():
    scene = Scene([lambda i: (60 + 2 * i, 60)], [1], blind={(0, i) for i in range(5, 24)})
    seen = scene.run(50)
    assert [len(s) for s in seen] == [1] * 50
    assert {s[0].track for s in seen} == {0}


@pytest.mark.parametrize(("live", "last"), [(False, 15), (True, 31)])
def test_a_face_that_is_found_no_more_is_shown_no_more(live, last):
    """Its pixels go on to be seen, as those of what came before it would be."""
    scene = Scene([lambda i: (150, 60)], [1], blind={(0, i) for i in range(9, 72)})
    seen = scene.run(84, live)
    shown = [i for i, sightings in enumerate(seen) if sightings and sightings[0].track == 0]
    assert shown == list(range(last + 1))
    assert [s.track for s in seen[-1]] == [1]  # forgotten, who comes is somebody else


class Noise(Scene):
    """The first of two people is new noise in each frame: nothing of it can be followed."""

    def photo(self, i):
        photo = super().photo(i)
        x, y = (round(v) for v in self.ways[0](i))
        noise = np.random.default_rng(i).integers(0, 255, (SIDE, SIDE, 3))
        photo[y : y + SIDE, x : x + SIDE] = noise
        return photo


@pytest.mark.parametrize("live", [False, True])
def test_a_gap_is_bridged_whoever_else_is_there(live):
    ways = [lambda i: (20 + i, 60), lambda i: (300, 60)]
    scene = Noise(ways, [1, 3], blind={(1, i) for i in range(5, 22)})
    for seen in scene.run(40, live):
        assert any(face.box[0] > 250 for face in seen)


@pytest.mark.parametrize("live", [False, True])
def test_a_thing_that_passes_before_a_face_does_not_take_it_along(live):
    thing = np.random.default_rng(7).integers(0, 2, (12, 9, 1)) * np.uint8(220) + np.uint8(20)
    thing = np.kron(thing, np.ones((8, 8, 3), np.uint8))

    class Passed(Scene):
        def photo(self, i):
            photo, left = super().photo(i), 40 + 9 * i
            photo[70:166, left : left + 72] = thing
            return photo

    scene = Passed([lambda i: (170 + 0.5 * i, 60)], [1])
    for i, sightings in enumerate(scene.run(30, live)):
        assert len(sightings) == 1
        off = sightings[0].points.mean(axis=0) - scene.points(0, i).mean(axis=0)
        assert np.abs(off).max() < 4


@pytest.mark.parametrize("live", [False, True])
def test_a_camera_that_shakes_is_followed(live):
    """By more than a head can move at once, and back."""
    shake = np.random.default_rng(3).integers(-9, 10, (40, 2))

    class Shaken(Scene):
        def photo(self, i):
            return np.roll(super().photo(i), shake[i], axis=(0, 1))

        def points(self, k, i):
            return super().points(k, i) + shake[i][::-1]

    scene = Shaken([lambda i: (170, 60)], [1])
    for i, sightings in enumerate(scene.run(40, live)):
        assert len(sightings) == 1
        assert np.abs(sightings[0].points.mean(axis=0) - scene.points(0, i).mean(axis=0)).max() < 2


def test_two_people_who_cross_keep_their_tracks():
    ways = [lambda i: (10 + 5 * i, 60), lambda i: (350 - 5 * i, 70)]
    scene = Scene(ways, [0, 3], blind={0})
    seen = scene.run(70)
    first = {s.track: s.points.mean(axis=0)[0] for s in seen[0]}
    last = {s.track: s.points.mean(axis=0)[0] for s in seen[-1]}
    assert len(first) == 2
    assert set(first) == set(last)
    left = min(first, key=first.get)
    assert last[left] == max(last.values())
    for i in (0, 15, 55, 69):
        for sighting in seen[i]:
            k = 0 if sighting.track == left else 1
            assert np.abs(sighting.points - scene.points(k, i)).max() < 8


def test_a_face_is_found_back_to_its_first_frame():
    scene = Scene([lambda i: (60 + i, 60)], [1], blind={(0, 0), (0, 8)})
    seen = scene.run(40)
    assert [len(s) for s in seen[9:]] == [1] * 31
    assert not seen[0]
    live = scene.run(40, live=True)
    assert not live[15]


def test_a_cut_begins_new_tracks():
    tracker, seen = Tracker(), []
    one, two = Scene([lambda i: (60, 60)], [1]), Scene([lambda i: (70, 65)], [3])
    two.back = 255 - two.back
    cuts = []
    for i in range(40):
        scene = one if i < 17 else two
        cuts.append(tracker.add(scene.photo(i), scene.look(i)))
        if i >= DELAY:
            seen.append(tracker.sightings(i - DELAY))
    seen += [tracker.sightings(i) for i in range(40 - DELAY, 40)]
    assert [i for i, cut in enumerate(cuts) if cut] == [17]
    assert [s[0].track for s in seen] == [0] * 17 + [1] * 23
    assert np.abs(seen[17][0].points - two.points(0, 17)).max() < 2


def test_the_smoother_is_the_mean_where_nothing_moves():
    rng = np.random.default_rng(0)
    steps = [Step(0, np.eye(2, 3), np.zeros((5, 2)), 1e3, 0.0)]
    measured = rng.normal(50, 1, (100, 5, 2))
    for z in measured:
        step = predict(steps[-1], np.eye(2, 3), False)
        step.noise = 0.0
        step.variance = steps[-1].variance
        correct(step, z)
        steps.append(step)
    assert smoothed(steps[1:]) == pytest.approx(measured.mean(axis=0), abs=0.05)


def test_no_face_no_track():
    tracker = Tracker()
    for photo in faces(12):
        tracker.add(photo, list)
    assert [tracker.sightings(i) for i in range(12)] == [()] * 12


def test_what_the_user_says_is_hidden_does_not_lead_the_face(monkeypatch):
    """A poster that stands still in front of a face that moves."""
    monkeypatch.setattr(track, "EVERY", 30)  # the detector must not put it right
    scene = Scene([lambda i: (100 + 2 * i, 60)], [1])
    tracker, mask = Tracker(), np.zeros((240, 480), bool)
    mask[100:170, 130:230] = True
    poster = np.random.default_rng(3).integers(0, 255, (35, 50, 3)).astype(np.uint8)
    poster = np.kron(poster, np.ones((2, 2, 1), np.uint8))
    for i in range(20):
        photo = scene.photo(i)
        photo[mask] = poster.reshape(-1, 3)
        tracker.add(photo, scene.look(i), mask)
    moved = tracker.sightings(0)[0].points, tracker.sightings(19)[0].points
    assert np.abs(moved[1] - moved[0] - (38, 0)).max() < 2
