"""TIFFs of every kind, written as TIFF, PNG and JPEG, and read back by others."""

import io

import cv2
import numpy as np
import pytest
from drawn import draw_face
from PIL import Image, ImageCms

from unveil.files import encode, read_image
from unveil.metadata import Disclosure

FACE = draw_face(0, 64)
SAID = Disclosure("lite:0123456789abcdef", 0.1234, 1)
SRGB, LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I", "I;16", "F")


def of_mode(mode):
    image = Image.fromarray(FACE)
    if mode == "LAB":
        return ImageCms.profileToProfile(image, SRGB, LAB, outputMode="LAB")
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(FACE[..., 0] | 1))
    return image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", **options)
    return buffer.getvalue()


def read(data):
    return read_image(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("mode", MODES)
def test_its_colours_come_back(mode, compression, kind):
    source = read(saved(of_mode(mode), compression=compression))
    data = encode(source.photo, kind, source, SAID)
    back = read(data)
    wrong = np.abs(back.photo.astype(int) - source.photo)
    assert wrong.mean() < 4 if kind == "JPEG" else wrong.max() == 0
    assert back.grey == source.grey
    if kind != "JPEG":
        assert (back.alpha is None) == (mode not in ("LA", "RGBA"))
        if back.alpha is not None:
            assert np.array_equal(back.alpha, source.alpha)
        # Another decoder, which multiplies colours by opacity.
        other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert back.alpha is not None or np.array_equal(other[..., ::-1], source.photo)


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
def test_planes_of_their_own(kind):
    """Planar configuration 2, which Pillow does not write: red, then green, then blue."""
    import struct

    offsets = [8 + 2 + 12 * 10 + 4 + 18 + i * 64 * 64 for i in range(3)]
    after = 8 + 2 + 12 * 10 + 4
    entries = [(256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 3, after), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 2), (273, 4, 3, after + 6), (277, 3, 1, 3), (278, 3, 1, 64)]
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 10)
    entries += [(279, 4, 3, after + 18 + 3 * 64 * 64), (284, 3, 1, 2)]
    data += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    data += struct.pack("<3H", 8, 8, 8) + struct.pack("<3I", *offsets)
    data += FACE.transpose(2, 0, 1).tobytes() + struct.pack("<3I", *[64 * 64] * 3)
    source = read(data)
    assert np.array_equal(source.photo, FACE)
    back = read(encode(FACE, kind, source, SAID)).photo.astype(int)
    assert np.abs(back - FACE).max() <= (60 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "LAB"])
def test_a_profile_for_other_colours_does_not_come_back(mode, kind):
    profile = ImageCms.ImageCmsProfile(LAB if mode == "LAB" else SRGB).tobytes()
    source = read(saved(of_mode(mode), icc_profile=profile))
    image = Image.open(io.BytesIO(encode(source.photo, kind, source, SAID)))
    assert "icc_profile" not in image.info
    assert 34675 not in image.getexif()


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
def test_what_describes_it_is_kept(kind, compressed, endian):
    exif = Image.Exif()
    exif.endian = endian
    exif[270], exif[271], exif[306] = "at the lake", "Camera", "2020:01:02 03:04:05"
    exif[315], exif[33432] = "A. Person", "all rights"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    source = read(saved(of_mode("RGB"), exif=exif.tobytes(), dpi=(300, 300)))
    if compressed:  # by us: Pillow does not write EXIF into one
        source.info["compressed"] = True
        source = read(encode(FACE, "TIFF", source))
    assert ("compressed" in source.info) == compressed
    image = Image.open(io.BytesIO(encode(FACE, kind, source, SAID)))
    image.load()
    tags = image.getexif()
    assert [tags[t] for t in (270, 271, 306, 315, 33432)] == [
        "at the lake", "Camera", "2020:01:02 03:04:05", "A. Person", "all rights",
    ]  # fmt: skip
    assert tags.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
    assert tags.get_ifd(0x8825)[1] == "N"
    assert b"Not for identification" in tags.get_ifd(0x8769)[0x9286]
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    if kind != "TIFF":
        assert not {256, 257, 258, 259, 262, 273, 277, 278, 279, 284} & set(tags)


def test_exif_of_a_jpeg_that_tells_how_it_is_stored_spoils_no_tiff():
    exif = Image.Exif()  # as Photoshop writes it
    exif[256], exif[257], exif[258], exif[262], exif[277] = 9, 9, (8, 8, 8, 8), 5, 4
    exif[271] = "Camera"
    buffer = io.BytesIO()
    Image.fromarray(FACE).save(buffer, "JPEG", exif=exif)
    source = read(buffer.getvalue())
    data = encode(FACE, "TIFF", source, SAID)
    assert np.array_equal(read(data).photo, FACE)
    assert Image.open(io.BytesIO(data)).getexif()[271] == "Camera"


def test_a_resolution_that_it_does_not_tell_is_not_made_up():
    assert "dpi" not in read(saved(of_mode("RGB"))).info


def test_a_compressed_one_is_written_so():
    plain, packed = (saved(of_mode("RGB"), compression=c) for c in (None, "tiff_lzw"))
    sizes = [len(encode(FACE, "TIFF", read(data))) for data in (plain, packed)]
    assert sizes[1] < 0.8 * sizes[0]
    assert Image.open(io.BytesIO(encode(FACE, "TIFF", read(packed)))).info["compression"] == (
        "tiff_adobe_deflate"
    )
    assert Image.open(io.BytesIO(encode(FACE, "TIFF", read(plain)))).info["compression"] == "raw"
