import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from drawn import draw_face
from PIL import Image, ImageCms

from unveil.files import encode, read_image
from unveil.metadata import SOURCE_TYPE, Disclosure

FACE = draw_face(0, 64)
SAID = Disclosure("lite:0123456789abcdef", 0.1234, 2)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
RIGHTS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Credit="A. Person"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"'
    "/></rdf:RDF></x:xmpmeta>"
)


def source(kind="JPEG", mode="RGB", orientation=6, **options):
    """A picture with all that a camera writes, and its decoded form."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x013B] = orientation, "Camera & Co", "A. Person"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = io.BytesIO()
    options = {"exif": exif, "dpi": (300, 300), "icc_profile": profile, **options}
    Image.fromarray(FACE).convert(mode).save(buffer, kind, **options)
    return read_image(io.BytesIO(buffer.getvalue()))


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def xmp_of(image):
    tags = getattr(image, "tag_v2", {})
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or tags.get(700)
    return None if xmp is None else ET.fromstring(xmp)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_what_the_camera_wrote_is_kept(kind):
    image = opened(encode(FACE, kind, source()))
    exif = image.getexif()
    assert exif[0x010F] == "Camera & Co"
    assert exif.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
    assert exif.get_ifd(0x8825)[1] == "N"
    assert exif.get(0x0112, 1) == 1  # the pixels are upright: not to be turned again
    assert image.info["icc_profile"]
    if kind != "WEBP":
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert xmp_of(image) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("xmp", [None, RIGHTS.encode(), b"no xml", b"<rdf:RDF></rdf:RDF>\xff"])
def test_the_file_says_that_a_part_is_invented(kind, xmp):
    image = opened(encode(FACE, kind, source(xmp=xmp or b""), SAID))
    description = list(xmp_of(image).iter(f"{RDF}Description"))
    assert [d.get(TYPE) for d in description if d.get(TYPE)] == [SOURCE_TYPE]
    said = "".join(description[-1].itertext())
    assert "lite:0123456789abcdef" in said
    assert "Not for identification" in said
    assert "12.34 %" in said
    if xmp and b"Credit" in xmp:
        credit = "{http://ns.adobe.com/photoshop/1.0/}Credit"
        assert description[0].get(credit) == "A. Person"
    exif = image.getexif()
    assert exif[0x010F] == "Camera & Co"
    assert exif[0x0131].startswith("unveil")
    comment = exif.get_ifd(0x8769)[0x9286]
    assert b"Not for identification" in comment
    if kind == "PNG":
        assert "2 faces" in image.text["Disclaimer"]


def test_said_without_a_source():
    image = opened(encode(FACE, "PNG", None, SAID))
    assert "Not for identification" in image.text["Disclaimer"]
    assert len(list(xmp_of(image).iter(f"{RDF}Description"))) == 1


def test_bmp_holds_nothing_and_is_written_all_the_same():
    assert np.array_equal(np.asarray(opened(encode(FACE, "BMP", source(), SAID))), FACE)


@pytest.mark.parametrize(("quality", "subsampling"), [(55, 2), (92, 0), (75, 1)])
def test_the_quality_of_a_jpeg_is_kept(quality, subsampling):
    from PIL import JpegImagePlugin

    before = source(quality=quality, subsampling=subsampling)
    image = opened(encode(FACE, "JPEG", before))
    assert image.quantization == before.info["qtables"]
    assert JpegImagePlugin.get_sampling(image) == subsampling


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_grey_picture_stays_grey(kind):
    before = source(kind, "L", orientation=1, icc_profile=None)
    image = opened(encode(before.photo, kind, before))
    assert image.mode == "L"
    if kind != "JPEG":
        assert np.array_equal(np.asarray(image), before.photo[..., 0])


def test_damaged_exif_is_dropped():
    damaged = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    buffer = io.BytesIO()
    Image.fromarray(FACE).save(buffer, "JPEG", exif=damaged)
    before = read_image(io.BytesIO(buffer.getvalue()))
    assert before.photo.shape == FACE.shape
    assert opened(encode(FACE, "JPEG", before, SAID)).getexif()[0x0131].startswith("unveil")


def test_a_thumbnail_of_the_old_picture_is_not_kept():
    small = io.BytesIO()
    Image.fromarray(FACE).resize((16, 16)).save(small, "JPEG")
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    data = small.getvalue()
    # By hand, because Pillow writes no thumbnails: IFD0 with one tag, then IFD1 that points at it.
    import struct

    ifd0 = struct.pack("<H", 1) + struct.pack("<HHI4s", 0x010F, 2, 4, b"Cam\0")
    place = struct.pack("<HHII", 0x0201, 4, 1, 8 + 18 + 30)
    length = struct.pack("<HHII", 0x0202, 4, 1, len(data))
    ifd1 = struct.pack("<H", 2) + place + length + struct.pack("<I", 0)
    tiff = b"II*\0" + struct.pack("<I", 8) + ifd0 + struct.pack("<I", 8 + 18) + ifd1 + data
    buffer = io.BytesIO()
    Image.fromarray(FACE).save(buffer, "JPEG", exif=b"Exif\0\0" + tiff)
    assert data in buffer.getvalue()
    before = read_image(io.BytesIO(buffer.getvalue()))
    after = encode(FACE, "JPEG", before, SAID)
    assert data not in after
    assert opened(after).getexif()[0x010F] == "Cam"
