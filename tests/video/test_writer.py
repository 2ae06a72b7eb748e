"""What is written is the source but for what is invented."""

from types import SimpleNamespace

import av
import numpy as np
import pytest
from clips import faces, packets, write_clip

from unveil.errors import UsageError
from unveil.video.containers import container_of
from unveil.video.encoding import Encoding, pixel_format
from unveil.video.reader import VideoReader
from unveil.video.writer import VideoWriter

HIDDEN = (slice(41, 80), slice(33, 90))


def rewrite(source, target, encoding=None, comment=""):
    """Write a clip again with one part of it red."""
    with VideoReader(source) as reader:
        arguments = (target, container_of(target), reader.info, source, encoding, comment)
        with VideoWriter(*arguments) as writer:
            for frame in reader:
                new, invented = frame.photo.copy(), np.zeros(frame.photo.shape[:2], bool)
                invented[HIDDEN] = True
                new[HIDDEN] = (200, 30, 40)
                writer.write(frame, new, invented)


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def seen_and_heard(path):
    """The times of pictures and of pieces of sound, in seconds, and the pieces."""
    with av.open(str(path)) as container:
        seen = [float(f.time) for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        heard = [(float(f.time), f.to_ndarray()) for f in container.decode(audio=0)]
    return seen, [t for t, _ in heard], [wave for _, wave in heard]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le"])
def test_known_pixels_reach_the_encoder_as_they_were(tmp_path, pix_fmt):
    source = write_clip(tmp_path / "a.mkv", faces(3), pix_fmt=pix_fmt)
    rewrite(source, tmp_path / "b.mkv", Encoding("ffv1"))
    for old, new in zip(decoded(source), decoded(tmp_path / "b.mkv"), strict=True):
        assert new.format.name == pix_fmt
        deep = np.uint16 if "10" in pix_fmt else np.uint8
        for k in range(3):
            a, b = (
                np.frombuffer(f.planes[k], deep).reshape(f.planes[k].height, -1) for f in (old, new)
            )
            width, height = old.planes[k].width, old.planes[k].height
            known = np.ones((height, width), bool)
            x, y = 160 // width, 160 // height
            known[41 // y : -(-80 // y), 33 // x : -(-90 // x)] = False
            assert np.array_equal(a[:, :width][known], b[:, :width][known])
            assert not np.array_equal(a[:, :width], b[:, :width])
        middle = new.to_ndarray(format="rgb24")[50:70, 45:80].astype(int)
        assert np.abs(middle - (200, 30, 40)).max() <= 4


@pytest.mark.parametrize(
    ("source", "encoding"),
    [
        (("ffv1", "bgr0"), Encoding("ffv1")),
        (("ffv1", "bgra"), Encoding("ffv1")),
        (("ffv1", "gbrp10le"), Encoding("ffv1")),
        (("ffv1", "yuv420p", (97, 131)), Encoding("ffv1")),
        (("libx264", "yuvj420p"), Encoding("ffv1")),
        (("libx264", "yuv420p"), Encoding("h264", 0)),
        (("libx264", "yuv420p10le"), Encoding("h264", 0)),
        (("ffv1", "gray"), Encoding("h264", 0)),
        (("libx264", "yuv420p"), Encoding("hevc", 0)),
        (("libx264", "yuv420p10le"), Encoding("hevc", 0)),
        (("ffv1", "bgr0"), Encoding("hevc", 0)),
        (("libx264", "yuv420p"), Encoding("vp9", 0)),
    ],
    ids=str,
)
def test_what_says_so_loses_nothing(tmp_path, source, encoding):
    codec, pix_fmt, size = (*source, (160, 160))[:3]
    noise = np.random.default_rng(1).integers(0, 256, (3, *size, 3), np.uint8)
    clip = write_clip(tmp_path / "a.mkv", list(noise), codec, pix_fmt)
    rewrite(clip, tmp_path / "b.mkv", encoding)
    known = np.ones(size, bool)
    known[32:88, 24:98] = False  # the decoder mixes colours that are said for several pixels
    for old, new in zip(decoded(clip), decoded(tmp_path / "b.mkv"), strict=True):
        deep = "rgb24" if pix_fmt == "gray" else "rgb48le"
        a, b = (frame.to_ndarray(format=deep) for frame in (old, new))
        assert np.array_equal(a[known], b[known])
        assert not np.array_equal(a, b)


@pytest.mark.parametrize("pix_fmt", ["rgb24", "pal8", "gray"])
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("b.mp4", None),
        ("b.webm", None),
        ("b.mkv", Encoding("h264", 0)),
        ("b.mkv", Encoding("ffv1")),
    ],
)
def test_rgb_that_is_converted_is_not_said_to_be_rgb(tmp_path, pix_fmt, name, encoding):
    drawn = av.VideoFrame.from_ndarray(faces(1)[0], format="rgb24")
    picture = drawn.reformat(format="gray" if pix_fmt == "pal8" else pix_fmt)
    if pix_fmt == "pal8":
        palette = np.random.default_rng(1).integers(0, 256, (256, 4), np.uint8)
        picture = av.VideoFrame.from_ndarray((picture.to_ndarray() // 32 * 32, palette), "pal8")
    with av.open(str(tmp_path / "a.mov"), "w") as output:
        stream = output.add_stream("png", rate=25)
        stream.height, stream.width, stream.pix_fmt = picture.height, picture.width, pix_fmt
        output.mux([*stream.encode(picture), *stream.encode(None)])
    rewrite(tmp_path / "a.mov", tmp_path / name, encoding)
    (old,), (new,) = decoded(tmp_path / "a.mov"), decoded(tmp_path / name)
    unsaid = [2] if pix_fmt == "gray" else []  # where players guess by the size of the picture
    assert new.colorspace in ([0] if new.format.is_rgb else [6, *unsaid])
    before, after = (frame.to_ndarray(format="rgb24")[:30].astype(int) for frame in (old, new))
    assert np.abs(before - after).mean() < 5


def test_times_sound_and_subtitles_are_kept(tmp_path):
    times = [0, 40, 130, 150, 400, 440]
    source = write_clip(tmp_path / "a.mkv", faces(6), times=times, sound=True, subtitles=True)
    rewrite(source, tmp_path / "b.mkv", comment="invented")
    assert packets(tmp_path / "b.mkv", "audio") == packets(source, "audio")
    assert packets(tmp_path / "b.mkv", "subtitle") == packets(source, "subtitle")
    assert sorted(t for _, t in packets(tmp_path / "b.mkv", "video")) == [t / 1000 for t in times]
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert container.metadata["COMMENT"] == "invented"
        assert container.streams.video[0].codec_context.name == "h264"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_a_comment_is_kept_before_ours_which_is_said_once(tmp_path, suffix):
    source = write_clip(tmp_path / "a.mkv", faces(2), comment="Anna's birthday")
    for name in ("b", "c"):
        rewrite(source, tmp_path / f"{name}{suffix}", comment="Invented.")
        source = tmp_path / f"{name}{suffix}"
        with av.open(str(source)) as container:
            texts = {k.lower(): v for k, v in container.metadata.items()}
        assert texts["comment"].split("\n") == ["Anna's birthday", "Invented."]


def test_times_in_mp4(tmp_path):
    times = [0, 40, 130, 150, 400]
    source = write_clip(tmp_path / "a.mp4", faces(5), times=times)
    rewrite(source, tmp_path / "b.mp4")
    assert sorted(t for _, t in packets(tmp_path / "b.mp4", "video")) == [t / 1000 for t in times]


def test_the_last_frame_lasts_as_long_as_it_did(tmp_path):
    times = [0, 40, 80, 1000, 1040]
    source = write_clip(tmp_path / "a.mp4", faces(5), times=times, options={"bf": "0"})
    rewrite(source, tmp_path / "b.mkv")
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv")) as new:
        assert new.duration == old.duration == 1_080_000


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_few_frames_are_decoded_in_the_order_in_which_they_are_shown(tmp_path, codec, count):
    source, target = write_clip(tmp_path / "a.mkv", faces(count)), tmp_path / "b.mp4"

    def encode(frame):
        packets = stream.encode(frame)
        for packet in packets:
            packet.dts = -(10**9)  # as x265 does now and then
        return packets

    with (
        VideoReader(source) as reader,
        VideoWriter(target, "mp4", reader.info, encoding=Encoding(codec)) as writer,
    ):
        stream = writer._stream
        writer._stream = SimpleNamespace(encode=encode, pix_fmt=stream.pix_fmt)
        for frame in reader:
            writer.write(frame, frame.photo, np.zeros(frame.photo.shape[:2], bool))
    with av.open(str(target)) as container:
        found = [(p.dts, p.pts) for p in container.demux(video=0) if p.pts is not None]
    assert [dts for dts, _ in found] == [pts for _, pts in found]
    assert len(found) == count


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_mpegts_plays_with_right_times_and_sound(tmp_path, codec):
    source = write_clip(tmp_path / "a.mkv", faces(12), sound=True)
    rewrite(source, tmp_path / "b.ts", Encoding(codec))
    with av.open(str(tmp_path / "b.ts")) as container:
        assert container.streams.video[0].codec_context.name == codec
    pictures, sounds, waves = seen_and_heard(source)
    # MPEG-TS has no negative times, so all of it begins later; and no way to say that the encoder's
    # lead-in is not to be heard.
    new_pictures, (_, *new_sounds), (_, *new_waves) = seen_and_heard(tmp_path / "b.ts")
    later = new_pictures[0] - pictures[0]
    assert 0 <= later < 0.5
    assert np.allclose(np.add(pictures, later), new_pictures, atol=0.001)
    assert np.allclose(np.add(sounds, later), new_sounds, atol=0.001)
    assert len(waves) == 20
    assert all(np.array_equal(a, b) for a, b in zip(waves, new_waves, strict=True))


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_avi_shows_each_frame_at_its_time(tmp_path, codec):
    times = [40 * i for i in (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13)]
    source = write_clip(tmp_path / "a.mkv", faces(12, step=4), times=times, sound=True)
    rewrite(source, tmp_path / "b.avi", Encoding(codec))
    with VideoReader(source) as old, VideoReader(tmp_path / "b.avi") as new:
        assert new.info.rate == 25
        for before, after in zip(old, new, strict=True):
            assert after.time * new.info.time_base == before.time * old.info.time_base
            assert np.abs(before.photo[:30].astype(int) - after.photo[:30]).mean() < 2
        assert (new.damaged, new.cut_off) == (0, None)
    assert [p for p, _ in packets(tmp_path / "b.avi", "audio")] == [
        p for p, _ in packets(source, "audio")
    ]


@pytest.mark.parametrize(
    ("source", "suffix", "codec"),
    [
        (("libx264", "yuv420p"), ".mp4", "h264"),
        (("libx264", "yuv420p10le"), ".mp4", "h264"),
        (("libx265", "yuv420p"), ".mkv", "hevc"),
        (("libx265", "yuv420p10le"), ".mp4", "hevc"),
        (("libx265", "yuv420p10le"), ".mov", "hevc"),
        (("libx265", "yuv420p10le"), ".ts", "hevc"),
        (("libx265", "yuv420p"), ".avi", "h264"),
        (("libx265", "yuv420p10le"), ".webm", "vp9"),
        (("libvpx-vp9", "yuv420p"), ".mp4", "h264"),
        (("ffv1", "yuv422p10le"), ".mp4", "hevc"),
    ],
    ids=str,
)
def test_the_codec_of_the_source(tmp_path, source, suffix, codec):
    # With frames out of order, x265 leaves the decoding times of two frames to chance.
    quiet = {"x265-params": "log-level=error:bframes=0"} if source[0] == "libx265" else {}
    clip = write_clip(tmp_path / "a.mkv", faces(2), *source, options=quiet)
    rewrite(clip, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        context = container.streams.video[0].codec_context
        assert context.name == codec
        if (codec, suffix) in (("hevc", ".mp4"), ("hevc", ".mov")):
            assert context.codec_tag == "hvc1"
    if suffix != ".webm":
        assert decoded(tmp_path / f"b{suffix}")[0].format.name == source[1]


def test_quality_is_a_size(tmp_path):
    source = write_clip(tmp_path / "a.mkv", faces(10))
    sizes = []
    for quality in (10, 40):
        rewrite(source, tmp_path / "b.mkv", Encoding(quality=quality))
        sizes.append((tmp_path / "b.mkv").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


def test_a_turned_clip_is_written_upright(tmp_path):
    source = write_clip(tmp_path / "a.mp4", faces(2, size=(96, 160)), rotation=90)
    rewrite(source, tmp_path / "b.mp4")
    frame = decoded(tmp_path / "b.mp4")[0]
    assert (frame.height, frame.width, frame.rotation) == (160, 96, 0)


def test_colours_whose_matrix_changes_on_the_way_stay_as_they_look(tmp_path):
    source, photo = tmp_path / "a.h264", np.full((160, 160, 3), (200, 40, 40), np.uint8)
    for matrix in (1, 6):
        with av.open(str(tmp_path / "part.h264"), "w") as output:
            stream = output.add_stream("libx264", rate=25, options={"crf": "4"})
            stream.height, stream.width, stream.pix_fmt = 160, 160, "yuv420p"
            stream.codec_context.colorspace = matrix
            picture = av.VideoFrame.from_ndarray(photo, format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=matrix)
            output.mux([*stream.encode(picture), *stream.encode(None)])
        with source.open("ab") as both:
            both.write((tmp_path / "part.h264").read_bytes())
    rewrite(source, tmp_path / "b.mp4")
    new = [frame.to_ndarray(format="rgb24")[:30] for frame in decoded(tmp_path / "b.mp4")]
    assert len(new) == 2
    assert np.abs(np.subtract(new, (200, 40, 40), dtype=float)).max() < 6


def test_odd_sizes_stay_odd(tmp_path):
    source = write_clip(tmp_path / "a.mkv", faces(2, size=(97, 131)), pix_fmt="yuv444p")
    rewrite(source, tmp_path / "b.mp4")
    frame = decoded(tmp_path / "b.mp4")[0]
    assert (frame.height, frame.width) == (97, 131)
    with VideoReader(write_clip(tmp_path / "c.mkv", faces(2, size=(97, 131)), "ffv1")) as reader:
        assert reader.info.pix_fmt == "yuv420p"
        assert pixel_format(reader.info, "h264") == "yuv444p"


@pytest.mark.parametrize(
    ("settings", "word"), [({"codec": "divx"}, "--codec"), ({"quality": 52}, "--quality")]
)
def test_wrong_settings(settings, word):
    with pytest.raises(UsageError, match=word):
        Encoding(**settings)


def test_unknown_suffix(tmp_path):
    with pytest.raises(UsageError, match=r"\.mp4"):
        container_of(tmp_path / "a.xyz")
