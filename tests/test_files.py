import io
import os
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from threading import Thread

import cv2
import numpy as np
import pytest
from drawn import draw_face
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.BmpImagePlugin import BmpImageFile

from unveil.errors import FormatError, ImageError, MaskError, OversizeError, UsageError
from unveil.files import (
    ImageFile,
    atomic_path,
    encode,
    image_format,
    mask_from_image,
    read_image,
    read_mask,
    same_file,
    write_bytes,
)

FACE = draw_face(0, 24)


def bytes_of(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def decode(data):
    return read_image(io.BytesIO(data))


def png_header(width, height, depth=8, colour=2):
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP"])
def test_lossless_formats_come_back_as_they_were(kind):
    image = decode(encode(FACE, kind))
    np.testing.assert_array_equal(image.photo, FACE)
    assert image.alpha is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_keeps_its_colours(kind):
    alpha = np.full(FACE.shape[:2], 255, np.uint8)
    alpha[4:20] = 0
    image = decode(encode(FACE, kind, ImageFile(FACE, alpha, {})))
    np.testing.assert_array_equal(image.photo, FACE)
    np.testing.assert_array_equal(image.alpha, alpha)


def test_jpeg_comes_back_nearly_as_it_was():
    photo = decode(encode(FACE, "JPEG")).photo
    assert np.abs(photo.astype(int) - FACE).mean() < 3


def test_encoding_gives_the_same_bytes_each_time():
    assert encode(FACE, "PNG") == encode(FACE.copy(), "PNG")


@pytest.mark.parametrize(("kind", "most"), [("WEBP", 16_383), ("JPEG", 65_500)])
def test_what_a_format_cannot_hold_is_told(capfd, kind, most):
    line = np.zeros((1, most + 1, 3), np.uint8)
    assert decode(encode(line[:, 1:], kind)).photo.shape == (1, most, 3)
    for photo in (line, line.transpose(1, 0, 2)):
        with pytest.raises(FormatError, match=f"as {kind}: {most + 1} pixels .* {most} are the"):
            encode(photo, kind)
    assert capfd.readouterr() == ("", "")


def test_what_an_encoder_says_is_an_error_of_ours():
    with pytest.raises(FormatError, match="cannot be written as JPEG: Invalid quantization table"):
        encode(FACE, "JPEG", ImageFile(FACE, None, {"qtables": [[1, 2]]}))


def test_one_pixel():
    assert decode(encode(FACE[:1, :1], "PNG")).photo.tolist() == FACE[:1, :1].tolist()


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_become_rgb(mode):
    image = Image.fromarray(FACE).convert(mode)
    photo = decode(bytes_of(image)).photo
    np.testing.assert_array_equal(photo[..., 0], np.asarray(image.convert("L")))
    assert (photo == photo[..., :1]).all()


@pytest.mark.parametrize(
    ("values", "hidden"),
    [
        ([0, 255, 0], [0, 1, 0]),
        ([0] * 8 + [127, 128], [0] * 9 + [1]),  # greys, as JPEG leaves them
        ([0, 1, 0], [0, 1, 0]),  # 1 for white
        ([0, 0, 0], [0, 0, 0]),
        ([255, 255, 255], [1, 1, 1]),
    ],
)
def test_a_mask_is_cut_in_the_middle_of_its_greys(values, hidden):
    mask = read_mask(io.BytesIO(bytes_of(Image.fromarray(np.array([values], np.uint8)))))
    assert mask.dtype == bool
    assert mask.tolist() == [[bool(each) for each in hidden]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
def test_a_mask_of_0_and_1_hides_where_it_is_1_of_any_depth(kind):
    values = np.array([[0, 1, 0], [1, 1, 0]], kind)
    assert read_mask(io.BytesIO(bytes_of(Image.fromarray(values), "TIFF"))).tolist() == [
        [False, True, False], [True, True, False],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "deep"),
    [
        (b"P6 1 1 255\n" + bytes(3), False),
        (b"P6 1 1 100\n" + bytes(3), False),
        (b"P6 1 1 1023\n" + bytes(6), True),
        (b"P6 1 1 65535\n" + bytes(6), True),
        (b"P5 1 1 65535\n" + bytes(2), True),
        (b"P6\n# made by hand\n1 1\n255\n" + bytes(3), False),
    ],
)
def test_a_ppm_of_more_than_8_bits_is_known(data, deep):
    assert decode(data).deep == deep


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colours_keep_their_brightness(suffix):
    deep = (np.arange(24 * 24 * 3).reshape(24, 24, 3) * 37).astype(np.uint16)
    data = cv2.imencode(suffix, deep[..., ::-1])[1].tobytes()
    assert np.abs(decode(data).photo - deep / 257.0).max() < 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("brightest", [65535, 200])
def test_sixteen_bit_grey_keeps_its_brightness(suffix, brightest):
    # Even where all of it is darker than 256: that is a dark picture, not an 8-bit one.
    deep = np.linspace(0, brightest, 24 * 24).reshape(24, 24).astype(np.uint16)
    photo = decode(cv2.imencode(suffix, deep)[1].tobytes()).photo
    assert np.abs(photo[..., 1] - deep / 257.0).max() <= 0.5


@pytest.mark.parametrize("clear", [300, 7])
def test_a_grey_that_is_transparent_is_so_with_16_bits_too(clear):
    grey = np.array([[300, 65535], [0, 301]], np.uint16)
    image = decode(bytes_of(Image.fromarray(grey), transparency=clear))
    assert image.photo[..., 0].tolist() == [[1, 255], [0, 1]]
    if clear == 300:
        assert image.alpha.tolist() == [[0, 255], [255, 255]]
    else:
        assert image.alpha is None


def test_what_is_no_number_in_a_float_tiff_does_not_darken_the_rest():
    values = np.linspace(0, 1, 24 * 24, dtype=np.float32).reshape(24, 24)
    expected = decode(bytes_of(Image.fromarray(values), "TIFF")).photo
    values[3, 4], values[5, 6], values[7, 8] = np.inf, -np.inf, np.nan
    photo = decode(bytes_of(Image.fromarray(values), "TIFF")).photo
    assert photo[3, 4].tolist() == [255] * 3
    assert photo[5, 6].tolist() == photo[7, 8].tolist() == [0] * 3
    same = np.isfinite(values)
    assert np.array_equal(photo[same], expected[same])


@pytest.mark.parametrize("scale", [1.0, 255.0, 65535.0])
def test_float_tiff_is_scaled_to_its_range(scale):
    values = np.linspace(0, 1, 24 * 24, dtype=np.float32).reshape(24, 24)
    photo = decode(bytes_of(Image.fromarray(values * np.float32(scale)), "TIFF")).photo
    assert np.abs(photo[..., 0] - values * 255).max() <= 0.51


def test_cmyk_jpeg_has_its_colours():
    # Adobe stores CMYK inverted in JPEG; Pillow writes it so too.
    red = Image.new("RGB", (16, 16), (220, 30, 40)).convert("CMYK")
    photo = decode(bytes_of(red, "JPEG", quality=95)).photo
    assert np.abs(photo.mean(axis=(0, 1)) - (220, 30, 40)).max() < 4


def test_profile_is_kept_only_where_it_fits_rgb():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    kept = decode(bytes_of(Image.fromarray(FACE), icc_profile=srgb, dpi=(72, 72)))
    assert kept.info["icc_profile"] == srgb
    assert kept.info["dpi"] == pytest.approx((72, 72), abs=0.01)
    cmyk = Image.fromarray(FACE).convert("CMYK")
    assert "icc_profile" not in decode(bytes_of(cmyk, "TIFF", icc_profile=lab)).info


def test_palette_with_transparency_shows_its_colours():
    image = Image.new("P", (4, 2))
    image.putpalette([255, 0, 0, 0, 200, 0, 0, 0, 250])
    image.putdata([0, 0, 1, 1, 2, 2, 0, 0])
    decoded = decode(bytes_of(image, transparency=1))
    assert decoded.photo[0].tolist() == [[255, 0, 0], [255, 0, 0], [0, 200, 0], [0, 200, 0]]
    assert decoded.alpha is not None
    assert decoded.alpha.tolist() == [[255, 255, 0, 0], [255, 255, 255, 255]]


def test_alpha_is_given_apart_and_dropped_where_all_is_opaque():
    alpha = np.full((24, 24), 255, np.uint8)
    assert decode(encode(np.dstack([FACE, alpha]), "PNG")).alpha is None
    alpha[3, 4] = 7
    decoded = decode(encode(np.dstack([FACE, alpha]), "PNG"))
    np.testing.assert_array_equal(decoded.alpha, alpha)
    np.testing.assert_array_equal(decoded.photo, FACE)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (0, FACE),  # which cameras write, and means nothing
        (1, FACE),
        (9, FACE),
        (2, FACE[:, ::-1]),
        (3, FACE[::-1, ::-1]),
        (6, np.rot90(FACE, -1)),
        (8, np.rot90(FACE)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation_is_applied(orientation, upright, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(bytes_of(Image.fromarray(FACE), kind, exif=exif))
    np.testing.assert_array_equal(decoded.photo, upright)
    assert decoded.as_stored == (upright is FACE)


def test_phone_photo_with_a_second_picture_gives_the_first():
    first, second = Image.fromarray(FACE), Image.new("RGB", (24, 24))
    data = bytes_of(first, "MPO", save_all=True, append_images=[second], quality=95)
    assert np.abs(decode(data).photo.astype(int) - FACE).mean() < 4


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animation_is_refused(kind):
    frames = [Image.fromarray(draw_face(i, 16)) for i in range(3)]
    data = bytes_of(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="animated: save the frame"):
        decode(data)


def test_still_gif_is_read():
    assert decode(bytes_of(Image.fromarray(FACE).quantize(256), "GIF")).photo.shape == (24, 24, 3)


def test_document_of_pages_is_refused():
    pages = [Image.fromarray(FACE)] * 2
    with pytest.raises(ImageError, match="several pages"):
        decode(bytes_of(pages[0], "TIFF", save_all=True, append_images=pages[1:]))


def test_pages_are_not_counted():
    """Counting takes time that grows with the square of their number."""
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 3, 8), (279, 4, 64)]
    data = bytearray(b"II*\0" + struct.pack("<I", 72) + bytes(64))
    for number in range(20_000):
        data += struct.pack("<H", len(tags))
        data += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        data += struct.pack("<I", len(data) + 4 if number < 19_999 else 0)
    start = time.perf_counter()
    with pytest.raises(ImageError, match="several pages"):
        decode(bytes(data))
    assert time.perf_counter() - start < 1


def test_a_decoder_without_memory(monkeypatch):
    def none_left(self):
        raise MemoryError

    data = encode(FACE, "BMP")
    monkeypatch.setattr(BmpImageFile, "load", none_left)
    with pytest.raises(OversizeError, match="too large for the memory of this machine"):
        decode(data)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (12_000, 9_000), (2**31 - 1,) * 2])
def test_huge_image_is_refused_at_once(width, height):
    start = time.perf_counter()
    with pytest.raises(OversizeError, match=r"too large.*100 megapixels"):
        decode(png_header(width, height))
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an image"),
        (b"hello, this is text", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encode(FACE, "PNG")[:300], "damaged or cut off"),
        (encode(FACE, "JPEG")[:500], "damaged or cut off"),
        (png_header(64, 64), "damaged"),
    ],
)
def test_what_is_no_whole_image_is_refused(data, message):
    with pytest.raises(ImageError, match=message):
        decode(data)


def test_a_pillow_without_avif_reads_all_else():
    """In a process of its own: the plugin is registered once."""
    code = """
        import importlib.util as util, io, sys
        find = util.find_spec
        util.find_spec = lambda name, *rest: None if name == "PIL._avif" else find(name, *rest)
        sys.modules["PIL.AvifImagePlugin"] = None
        from PIL import Image
        from unveil.errors import ImageError
        from unveil.files import read_image
        data = io.BytesIO()
        Image.new("RGB", (3, 2)).save(data, "PPM")
        assert read_image(io.BytesIO(data.getvalue())).photo.shape == (2, 3, 3)
        try:
            read_image(io.BytesIO(b"no image"))
        except ImageError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("not an image")


@settings(max_examples=300)
@given(st.data(), st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]))
def test_damaged_bytes_give_a_photo_or_an_image_error(data, kind):
    damaged = bytearray(encode(FACE, kind))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        photo = decode(bytes(damaged)).photo
    except ImageError:
        return
    assert photo.dtype == np.uint8
    assert photo.shape[2] == 3


def mask_of(photo, alpha=None):
    return mask_from_image(ImageFile(np.asarray(photo, np.uint8), alpha, {}))


def test_a_mask_is_its_brightness_by_its_opacity():
    hidden = np.zeros((20, 20), bool)
    hidden[5:9, 3:12] = True
    for white in (255, 1, 140):
        assert np.array_equal(mask_of(np.repeat(hidden[..., None] * white, 3, 2)), hidden)
    green, red = np.zeros((2, 20, 20, 3), np.uint8)
    green[hidden, 1], red[hidden, 0] = 255, 255
    assert np.array_equal(mask_of(green), hidden)
    assert not mask_of(red).any()  # darker than the middle
    white = np.full((20, 20, 3), 255)
    assert np.array_equal(mask_of(white, hidden.astype(np.uint8) * 255), hidden)
    assert np.array_equal(mask_of(white, hidden.astype(np.uint8) * 120), hidden & False)
    assert not mask_of(white * 0, hidden.astype(np.uint8) * 255).any()


def test_a_mask_may_be_soft_and_through_jpeg():
    hidden = np.zeros((256, 256), bool)
    hidden[60:200, 70:190] = True
    soft = cv2.GaussianBlur(hidden.astype(np.float32), (0, 0), 12) * 255
    grey = np.repeat(np.rint(soft)[..., None], 3, 2).astype(np.uint8)
    found = mask_from_image(decode(encode(grey, "JPEG")))
    assert (found != hidden).mean() < 0.01


def test_a_photo_is_no_mask():
    for seed in range(4):
        with pytest.raises(MaskError, match="a picture, not a mask"):
            mask_of(draw_face(seed))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageError, match=r"^no such file$"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read: Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "PNG"),
        ("a.JPG", "JPEG"),
        ("a.jpeg", "JPEG"),
        ("a.tif", "TIFF"),
        ("a.webp", "WEBP"),
    ],
)
def test_format_follows_the_suffix(tmp_path, name, kind):
    assert image_format(tmp_path / name) == kind


@pytest.mark.parametrize("name", ["a", "a.gif", "a.txt", ".png"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"write to \.png"):
        image_format(tmp_path / name)


def test_write_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one_and_leads_to_the_new_file(tmp_path, there):
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    path, link = tmp_path / "real" / "a.bin", tmp_path / "links" / "b.bin"
    link.symlink_to("../real/a.bin")
    if there:
        path.write_bytes(b"old")
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path / "links") == ["b.bin"]
    assert os.listdir(tmp_path / "real") == ["a.bin"]


def test_links_that_lead_in_a_circle(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    assert not same_file(one, tmp_path / "third")
    write_bytes(one, b"new")
    assert one.read_bytes() == b"new"


def fail_halfway(path):
    with atomic_path(path) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("power cut")


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="power cut"):
        fail_halfway(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_threads_that_write_one_file_each_write_it_whole(tmp_path):
    path = tmp_path / "a.bin"
    with atomic_path(path) as partial:
        partial.write_bytes(b"first")
        other = Thread(target=write_bytes, args=(path, b"other"))
        other.start()
        other.join()
        assert path.read_bytes() == b"other"
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_the_longest_names_are_written(tmp_path):
    for name in ("a" * 251 + ".bin", "ä" * 125 + ".bin"):
        write_bytes(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"
    assert len(os.listdir(tmp_path)) == 2


def test_failed_rename_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ImageError, match=r"a\.bin: cannot be written: No space left on device"):
        write_bytes(tmp_path / "a.bin", b"data")
    assert os.listdir(tmp_path) == []


def test_unwritable_places_are_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ImageError, match=r"file/a\.png: cannot be written: Not a directory"):
        write_bytes(tmp_path / "file" / "a.png", b"data")
    with pytest.raises(ImageError, match=r"none/a\.png: cannot be written: No such file"):
        write_bytes(tmp_path / "none" / "a.png", b"data")
    with pytest.raises(ImageError, match="cannot be written: Is a directory"):
        write_bytes(tmp_path, b"data")


def test_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(pipe, b"data")
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([0.0, 0.5, 1.0], np.float32, [0, 128, 255]),
        ([0.0, 0.5, 1.3], np.float32, [0, 128, 255]),  # brighter than white
        ([0.0, 128.0, 258.0], np.float32, [0, 128, 255]),
        ([0.0, 32768.0, 70000.0], np.float32, [0, 128, 255]),
        ([0, 128, 255], np.int32, [0, 128, 255]),
        ([0, 32768, 65535], np.int32, [0, 128, 255]),
        ([0, 2**30, 2**31 - 1], np.int32, [0, 128, 255]),
        ([0, 2**19, 2**20 - 1], np.int32, [0, 128, 255]),
    ],
)
def test_white_of_deep_greys_is_the_next_that_files_have(values, kind, expected):
    data = io.BytesIO()
    Image.fromarray(np.array([values], kind)).save(data, "TIFF")
    photo = read_image(io.BytesIO(data.getvalue())).photo
    assert photo[0, :, 0].tolist() == expected


@pytest.mark.skipif(os.name == "nt", reason="has no such permissions")
def test_who_may_read_a_file_stays_as_it_is_when_it_is_written_anew(tmp_path):
    path = tmp_path / "a.png"
    write_bytes(path, b"new")
    assert path.stat().st_mode & 0o777 != 0o600
    path.chmod(0o600)
    write_bytes(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert path.stat().st_mode & 0o777 == 0o600
