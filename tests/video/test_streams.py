"""Sound and subtitles go with the picture, text in the way that the container has."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from clips import RATE, black_box, faces, packets, trimmed, with_images, write_clip

from unveil.errors import UsageError
from unveil.restorer import Restorer
from unveil.video.clip import restore_clip
from unveil.video.containers import container_of
from unveil.video.reader import VideoReader
from unveil.video.streams import TOLD, OtherStreams
from unveil.video.writer import VideoWriter


def rewrite(source, target):
    """Write a clip again as it is; what was left out."""
    kind = container_of(target)
    with (
        VideoReader(source) as reader,
        VideoWriter(target, kind, reader.info, source) as writer,
    ):
        for frame in reader:
            writer.write(frame, frame.photo, np.zeros(frame.photo.shape[:2], bool))
    return writer.left_out


def with_sound(target, codec, wave, rate, layout):
    """A short clip with this sound, 16 bits, its channels one after another."""
    with av.open(str(target), "w") as output:
        stream = output.add_stream("mpeg4", rate=RATE)
        stream.height = stream.width = 160
        sound = output.add_stream(codec, rate=rate, layout=layout)
        if codec.startswith("wma"):
            sound.bit_rate = 64_000  # it has none of its own
        for photo in faces(4):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(photo, format="rgb24")))
        sample = av.AudioFrame.from_ndarray(wave, format="s16", layout=layout)
        sample.sample_rate = rate
        output.mux([*stream.encode(None), *sound.encode(sample), *sound.encode(None)])


def said(path):
    """The kind of the subtitles, and what they say from when to when."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        lines = []
        for packet in container.demux(stream):
            for line in packet.decode() if packet.size else ():
                start = float(packet.pts * packet.time_base)
                end = start + float(packet.duration * packet.time_base)
                lines.append((line.dialogue.decode(), round(start, 2), round(end, 2)))
        return stream.codec_context.codec.canonical_name, lines


def test_text_is_written_in_the_way_of_the_container(tmp_path):
    source = write_clip(tmp_path / "a.mkv", faces(12), subtitles=True)
    way = [("b.mkv", "subrip"), ("c.mp4", "mov_text"), ("d.webm", "webvtt"), ("e.mov", "mov_text")]
    for name, kind in [*way, ("f.mkv", "subrip")]:
        assert rewrite(source, tmp_path / name) == ()
        found, lines = said(tmp_path / name)
        assert found == kind
        assert lines == [("Hello", 0.1, 0.4)]
        source = tmp_path / name


def test_subtitles_that_a_container_cannot_hold_are_left_out(tmp_path):
    images = with_images(tmp_path / "a.mkv", faces(4))
    assert rewrite(images, tmp_path / "b.mkv") == ()
    assert packets(tmp_path / "b.mkv", "subtitle") == packets(images, "subtitle")
    assert rewrite(images, tmp_path / "b.mp4") == ("hdmv_pgs_subtitle",)
    text = write_clip(tmp_path / "c.mkv", faces(4), subtitles=True)
    for name in ("d.ts", "d.avi"):
        assert rewrite(text, tmp_path / name) == ("subrip",)


def test_the_report_names_them_unless_the_file_stays_as_it_is(model, tmp_path):
    source = with_images(tmp_path / "a.mkv", faces(4))
    restorer = Restorer(model, threads=1)
    for name, left_out in [("b.mp4", ("hdmv_pgs_subtitle",)), ("b.mkv", ())]:
        assert restore_clip(source, tmp_path / name, restorer).left_out == left_out


def test_sound_lies_in_the_file_beside_its_picture(tmp_path):
    """Else a player would have to read to the end before it can play."""
    still = [np.zeros((32, 32, 3), np.uint8)] * (14 * RATE)  # more than muxers put right themselves
    rewrite(write_clip(tmp_path / "a.mkv", still, sound=True), tmp_path / "b.mkv")
    heard, late = 0.0, []
    with av.open(str(tmp_path / "b.mkv")) as container:
        for packet in container.demux():
            if packet.dts is not None and packet.stream.type == "audio":
                heard = float(packet.dts * packet.time_base)
            elif packet.dts is not None:
                late.append(float(packet.dts * packet.time_base) - heard)
    assert len(late) > 0.9 * len(still)
    assert max(late) < 1


def test_chapters_are_kept(tmp_path):
    plain = write_clip(tmp_path / "plain.mkv", faces(12), sound=True)
    unit, told = Fraction(1, 1000), [(0, 200, "One"), (200, 480, "Two")]
    with av.open(str(plain)) as old, av.open(str(tmp_path / "a.mkv"), "w") as output:
        output.set_chapters(
            [
                {"id": i, "start": a, "end": b, "time_base": unit, "metadata": {"title": name}}
                for i, (a, b, name) in enumerate(told, 1)
            ]
        )
        copies = {s.index: output.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    for name in ("b.mkv", "c.mp4"):
        rewrite(tmp_path / "a.mkv", tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            found = [
                (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"])
                for c in container.chapters()
            ]
        assert found == [(a * unit, b * unit, name) for a, b, name in told]


@pytest.mark.parametrize(
    ("container", "times", "kept"),
    [
        ("mp4", (100, 50, 60, 100, 101), (100, 101)),  # one that went back brings none with it
        ("matroska", (100, 50, 60, 100, 101), (100, 100, 101)),  # whose times are rounded
    ],
)
def test_packets_that_go_back_in_time_are_left_out(container, times, kept):
    streams = SimpleNamespace(_last={}, _texts={}, _container=container)
    assert tuple(t for t in times if OtherStreams._goes_on(streams, 0, t)) == kept


def test_sound_whose_loudspeakers_are_not_said(tmp_path):
    source = tmp_path / "a.avi"
    wave = np.arange(9600, dtype=np.int16)[None]
    with_sound(source, "pcm_s16le", wave, 48_000, "stereo")
    rewrite(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        heard = [frame.to_ndarray() for frame in container.decode(audio=0)]
    assert np.array_equal(np.concatenate(heard, axis=1), wave)


def test_sound_that_a_container_cannot_hold(tmp_path):
    source = write_clip(tmp_path / "a.mkv", faces(2), sound=True)
    with pytest.raises(UsageError, match=r"\.webm.*aac.*\.mkv"):
        rewrite(source, tmp_path / "b.webm")


@pytest.mark.parametrize(
    ("container", "codec", "name", "advice"),
    [
        (".avi", "adpcm_ms", "b.mkv", ""),
        (".avi", "adpcm_ms", "b.avi", ""),  # with a clock a thousand times too slow
        (".avi", "adpcm_ima_wav", "b.avi", ""),  # nor can Matroska
        (".mkv", "eac3", "b.avi", "; .mkv can"),
    ],
)
def test_sound_that_nothing_or_another_container_holds(tmp_path, container, codec, name, advice):
    source = tmp_path / f"a{container}"
    with_sound(source, codec, np.zeros((1, 4096), np.int16), 48_000, "mono")
    with pytest.raises(UsageError) as told:
        rewrite(source, tmp_path / name)
    assert str(told.value).endswith(f"cannot hold its sound ({codec}){advice}")


@pytest.mark.parametrize("codec", ["aac", "ac3", "mp2", "mp3"])
@pytest.mark.parametrize("container", [".avi", ".mkv"])
def test_sound_of_avi_keeps_its_times(tmp_path, container, codec):
    source, target = tmp_path / f"a{container}", tmp_path / "b.avi"
    wave = (np.random.default_rng(0).normal(0, 3000, (1, 24_000))).astype(np.int16)
    with_sound(source, codec, wave, 48_000, "mono")
    rewrite(source, target)
    before, after = packets(source, "audio"), packets(target, "audio")
    assert [data for data, _ in before] == [data for data, _ in after]
    starts = [np.array([time for _, time in each], float) for each in (before, after)]
    starts = [each - each[0] for each in starts]  # Matroska says what comes before the first
    assert np.abs(starts[0] - starts[1]).max() < 0.03


@pytest.mark.parametrize("codec", ["wmav1", "wmav2"])
def test_sound_of_avi_that_matroska_does_not_know_is_kept(tmp_path, codec):
    source, target = tmp_path / "a.avi", tmp_path / "b.avi"
    with_sound(source, codec, np.zeros((1, 24_000), np.int16), 48_000, "mono")
    rewrite(source, target)
    before, after = packets(source, "audio"), packets(target, "audio")
    assert [data for data, _ in before] == [data for data, _ in after]
    assert abs(float(before[-1][1] - after[-1][1])) < 0.03


def test_of_the_sound_of_an_avi_only_the_beginning_is_read_twice(tmp_path):
    source = tmp_path / "a.avi"
    with_sound(source, "mp2", np.zeros((1, 24_000), np.int16), 48_000, "mono")
    with av.open(str(tmp_path / "b.avi"), "w") as output:
        others = OtherStreams(source, output, "avi")
        own = others._input.streams.audio[0]
        template = others._template(own, "mp2")
        known = [packet for packet in template.container.demux(template) if packet.size]
        others.close()
    assert len(known) == TOLD < len(packets(source, "audio"))


def test_the_last_sound_is_kept_where_no_lengths_are_told(tmp_path):
    source = tmp_path / "a.mkv"
    wave = (np.random.default_rng(0).normal(0, 3000, (1, 20_480))).astype(np.int16)
    with_sound(source, "alac", wave, 44_100, "mono")
    for name in ("b.mp4", "b.mov"):
        rewrite(source, tmp_path / name)
        assert len(packets(tmp_path / name, "audio")) == len(packets(source, "audio")) == 5


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_is_trimmed_away_is_not_heard(tmp_path, suffix):
    source = trimmed(tmp_path / "a.mp4", faces(50), 640, 1360, sound=True)
    rewrite(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
    with av.open(str(source)) as container:
        said = sum(frame.samples for frame in container.decode(audio=0))
    assert said <= heard <= said + 2 * 1024  # decoders begin with a packet before it


def tagged(path, of_file=None, of_picture=None):
    """A clip of three faces that says something of itself."""
    plain = write_clip(path.with_stem("plain"), faces(3))
    keys = {"movflags": "use_metadata_tags"} if path.suffix == ".mov" else {}
    with av.open(str(plain)) as old, av.open(str(path), "w", options=keys) as output:
        copy = output.add_stream_from_template(old.streams.video[0])
        output.metadata.update(of_file or {})
        copy.metadata.update(of_picture or {})
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_language_and_the_title_of_the_picture_are_kept(tmp_path, suffix):
    told = {"language": "fra", "title": "Le film"}
    source = tagged(tmp_path / "a.mkv", of_picture=told)
    rewrite(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        told = container.streams.video[0].metadata
        assert told["language"] == "fra"
        assert suffix == ".mp4" or told["title"] == "Le film"  # MP4 has none of streams


FONT = bytes(range(200))


def with_font(path):
    """A clip with a font and what is said of it."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.height = stream.width = 160
        font = output.add_attachment("hand.ttf", "font/ttf", FONT)
        font.metadata["title"] = "By hand"
        picture = av.VideoFrame.from_ndarray(faces(1)[0], format="rgb24")
        output.mux([*stream.encode(picture), *stream.encode(None)])
    return path


def attached(path):
    with av.open(str(path)) as container:
        found = [s for s in container.streams if s.type == "attachment"]
        return [(s.name, s.mimetype, s.data, s.metadata.get("title")) for s in found]


def test_fonts_of_the_subtitles_go_with_them(tmp_path):
    source = with_font(tmp_path / "a.mkv")
    for name, kept in [("b.mkv", True), ("c.mp4", False)]:
        rewrite(source, tmp_path / name)
        told = [("hand.ttf", "font/ttf", FONT, "By hand")] if kept else []
        assert attached(tmp_path / name) == told


@pytest.mark.parametrize("unsaid", [b"hand.ttf", b"font/ttf"])
def test_an_attachment_without_its_name_or_kind_is_left_out(tmp_path, unsaid):
    source, target = with_font(tmp_path / "a.mkv"), tmp_path / "b.mkv"
    source.write_bytes(source.read_bytes().replace(unsaid, bytes(len(unsaid))))
    ((name, kind, *_),) = attached(source)
    assert "" in (name, kind)
    rewrite(source, target)
    assert attached(target) == []
    assert len(packets(target, "video")) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_place_that_an_iphone_writes_is_kept(tmp_path, suffix):
    place = {"com.apple.quicktime.location.ISO6709": "+48.1000+011.5000/"}
    rewrite(tagged(tmp_path / "a.mov", of_file=place), tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as container:
        assert container.metadata["location"] == "+48.1000+011.5000/"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_broken_packet_of_sound_costs_itself_alone(model, tmp_path, suffix):
    frames, _ = black_box(faces(30, step=0), slice(103, 118), slice(65, 95))
    source = write_clip(tmp_path / "a.ts", frames, sound=True)
    data = bytearray(source.read_bytes())
    heads = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xf1"]  # of ADTS
    middle = heads[len(heads) // 2]
    data[middle + 2 : middle + 7] = b"\xff" * 5
    source.write_bytes(data)
    report = restore_clip(source, tmp_path / f"b{suffix}", Restorer(model, 1))
    assert (report.frames, report.cut_off) == (30, None)
    assert 0 < report.damaged < 4
    with av.open(str(tmp_path / f"b{suffix}")) as clip:
        sound = [packet for packet in clip.demux(clip.streams.audio[0]) if packet.size]
    assert len(sound) < len(heads)
    assert float(sound[-1].pts * sound[-1].time_base) == pytest.approx(30 / RATE, abs=0.1)
