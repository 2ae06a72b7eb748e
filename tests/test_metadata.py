import io
import struct
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from drawn import draw_face
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from unveil import __version__
from unveil.files import encode, read_image
from unveil.metadata import SOURCE_TYPE, Disclosure
from unveil.xmp import of_result, with_disclosure

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


TURNED = (
    ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>',
    ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>6</tiff:Orientation>'
    "</rdf:Description>",
    ' no name space tiff:Orientation="6" and no packet \xff'.encode("latin-1"),
)


@pytest.mark.parametrize("said", [None, SAID])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turned", TURNED)
def test_a_picture_that_xmp_turns_comes_out_upright_once(turned, kind, said):
    start = RIGHTS[: RIGHTS.index(" xmlns:photoshop")]
    damaged = isinstance(turned, bytes)
    xmp = turned if damaged else (start + turned + "</rdf:RDF></x:xmpmeta>").encode()
    wide = io.BytesIO()
    Image.fromarray(FACE[:32]).save(wide, "JPEG", xmp=xmp)
    photo = read_image(io.BytesIO(wide.getvalue()))
    assert photo.photo.shape == (64, 32, 3)
    again = read_image(io.BytesIO(encode(photo.photo, kind, photo, said)))
    assert again.photo.shape == (64, 32, 3)


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


RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC, XMP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/}"


def packet(attributes="", elements=""):
    spaces = f'xmlns:dc="{DC[1:-1]}" xmlns:xap="{XMP[1:-1]}"'  # xap: Adobe's old name for xmp
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF_NS}"><rdf:Description rdf:about="" {spaces} {attributes}>'
        f'{elements}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def alternatives(*items):
    return f"<dc:description><rdf:Alt>{''.join(items)}</rdf:Alt></dc:description>"


@pytest.mark.parametrize(
    ("before", "words", "tool"),
    [
        # As attributes, and with the quotes that are not around ours.
        (
            packet("dc:description='At \"the\" lake' xap:CreatorTool='Tool 1'"),
            'At "the" lake',
            "Tool 1",
        ),
        (packet('dc:description="" xap:CreatorTool="Tool &amp; 1"'), "", "Tool & 1"),
        (packet(elements="<dc:description>At the\nlake </dc:description>"), "At the\nlake", None),
        # The text for readers of any language, wherever it stands.
        (
            packet(
                elements=alternatives(
                    '<rdf:li xml:lang="de">Am See</rdf:li>',
                    '<rdf:li xml:lang="x-default">At the lake</rdf:li>',
                )
                + "<xap:CreatorTool>Tool 1</xap:CreatorTool>"
            ),
            "At the lake",
            "Tool 1",
        ),
        (packet(elements=alternatives('<rdf:li xml:lang="de">Am See</rdf:li>')), "Am See", None),
        # Nothing in it: ours takes its place.
        (packet(elements=alternatives('<rdf:li xml:lang="x-default"/>')), "", None),
        (packet(elements="<dc:description/><xap:CreatorTool/>"), "", None),
        (packet(), "", None),
    ],
)
def test_xmp_says_ours_after_its_own(before, words, tool):
    once = encode(FACE, "JPEG", source(xmp=before), SAID)
    again = encode(FACE, "JPEG", read_image(io.BytesIO(once)), SAID)
    for data in (once, again):
        found = xmp_of(opened(data))
        descriptions = list(found.iter(f"{RDF}Description"))
        assert [d.get(TYPE) for d in descriptions if d.get(TYPE)] == [SOURCE_TYPE]
        texts = [d.get(f"{DC}description") for d in descriptions]
        for element in found.iter(f"{DC}description"):
            items = list(element.iter(f"{RDF}li"))
            texts += [i.text for i in items if "invented" in i.text] if items else [element.text]
        assert [t for t in texts if t is not None] == [f"{words} {SAID.text}".strip()]
        tools = [d.get(f"{XMP}CreatorTool") for d in descriptions]
        tools += [element.text for element in found.iter(f"{XMP}CreatorTool")]
        ours = f"unveil {__version__}"
        assert [t for t in tools if t] == [f"{tool}; {ours}" if tool else ours]
    if b"Am See" in before:
        assert b"Am See" in once


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("code", "codec", "words"),
    [
        (b"ASCII\0\0\0", "ascii", "At the lake"),
        (bytes(8), "latin-1", "At the lake"),
        (b"UNICODE\0", "utf-16-le", "Am Strand, größer"),
        (b"UNICODE\0", "utf-16-be", "Am Strand, größer"),
        (b"JIS\0\0\0\0\0", "iso2022_jp", "湖"),
        (b"ASCII\0\0\0", "ascii", "\0\0\0   \0"),  # as cameras leave it empty
    ],
)
def test_exif_says_ours_after_its_own(kind, endian, code, codec, words):
    exif = Image.Exif()
    exif.endian = endian
    exif[0x0131] = "Camera 1.2"
    exif.get_ifd(0x8769)[0x9286] = code + words.encode(codec)
    data = encode(FACE, kind, source(exif=exif), SAID)
    data = encode(FACE, kind, read_image(io.BytesIO(data)), SAID)  # a second time: not twice
    tags = opened(data).getexif()
    assert tags[0x0131] == f"Camera 1.2; unveil {__version__}"
    comment = tags.get_ifd(0x8769)[0x9286]
    assert comment[:8] == code
    words = words.strip("\0 ")
    expected = words if code.startswith(b"JIS") else f"{words} {SAID.text}".strip()
    assert comment[8:].decode(codec) == expected


@pytest.mark.parametrize(
    ("around", "filler"),
    [
        ("{}", "<dc:description>"),
        ("{}", "<dc:description "),
        ("<dc:description>{}</dc:description>", "<rdf:li xml:lang='x-default'"),
        ("<dc:description>{}</dc:description>", "<rdf:li "),
    ],
)
def test_xmp_that_nothing_is_closed_in_takes_no_time(around, filler):
    before = packet(elements=around.format(filler * (55_000 // len(filler))))
    start = time.perf_counter()
    with_disclosure(before, SAID.text, "tool", SOURCE_TYPE)
    assert time.perf_counter() - start < 0.5


def test_words_of_a_png_are_kept_in_a_png():
    texts = PngInfo()
    texts.add_text("Title", "At the lake")
    texts.add_itxt("Author", "Ä. Person", "de", "Autor")
    texts.add_text("Software", "Tool 1")
    texts.add_text("Raw profile type exif", "\nexif\n  6\n457869660000\n")
    before = source("PNG", pnginfo=texts)
    assert opened(encode(FACE, "PNG", before)).text["Software"] == "Tool 1"
    found = opened(encode(FACE, "PNG", before, SAID)).text
    assert found.pop("XML:com.adobe.xmp")
    assert found == {
        "Title": "At the lake",
        "Author": "Ä. Person",
        "Software": f"Tool 1; unveil {__version__}",
        "Disclaimer": SAID.text,
    }


def test_a_png_says_no_more_than_it_may():
    """A file of a hundred kB may hold a hundred MB of words, for each sample to say again."""
    texts = PngInfo()
    texts.add_text("Title", "At the lake")
    for number in range(4):
        texts.add_text(f"Long {number}", "ä" * 14_000, zip=True)
    texts.add_text("Longest", "a" * 1_000_000, zip=True)
    texts.add_text("Author", "A. Person")
    found = opened(encode(FACE, "PNG", source("PNG", pnginfo=texts))).text
    assert list(found) == ["Title", "Long 0", "Long 1", "Author"]


@pytest.mark.parametrize("length", [0, 100, 101])
def test_comment_and_iptc_of_a_jpeg_are_kept_in_a_jpeg_without_its_thumbnail(length):
    iptc = b"\x1c\x02\x78" + b"A" * length
    blocks = ((0x040C, b"thumbnail of the old picture"), (0x0404, iptc if length else b""))
    body = b"Photoshop 3.0\0" + b"".join(
        b"8BIM" + code.to_bytes(2) + bytes(2) + len(data).to_bytes(4) + data + bytes(len(data) % 2)
        for code, data in blocks
    )
    extra = b"\xff\xed" + (len(body) + 2).to_bytes(2) + body
    before = source(comment=b"at the lake", extra=extra)
    data = encode(FACE, "JPEG", before, SAID)
    image = opened(data)
    assert image.info["comment"] == b"at the lake"
    assert image.info.get("photoshop", {}) == ({0x0404: iptc} if length else {})
    assert b"thumbnail" not in data


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
    assert [*image.quantization.values()] == before.info["qtables"]
    assert JpegImagePlugin.get_sampling(image) == subsampling


def test_the_only_table_of_a_jpeg_may_have_any_number():
    before = source(mode="L", quality=55, icc_profile=None, exif=b"", dpi=(72, 72))
    data = bytearray(encode(before.photo, "JPEG", before))
    table, frame = data.index(b"\xff\xdb"), data.index(b"\xff\xc0")
    data[table + 4] = data[frame + 12] = 1  # its number, and that of the component's table
    renumbered = read_image(io.BytesIO(bytes(data)))
    assert opened(bytes(data)).quantization.keys() == {1}
    after = opened(encode(renumbered.photo, "JPEG", renumbered))
    assert [*after.quantization.values()] == before.info["qtables"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_grey_picture_stays_grey(kind):
    before = source(kind, "L", orientation=1, icc_profile=None)
    image = opened(encode(before.photo, kind, before))
    assert image.mode == "L"
    if kind != "JPEG":
        assert np.array_equal(np.asarray(image), before.photo[..., 0])


@pytest.mark.parametrize(("kind", "fits"), [("PNG", 1), ("JPEG", 1), ("TIFF", 1), ("WEBP", 0)])
def test_a_profile_for_grey_is_kept_where_there_are_grey_pixels(kind, fits):
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    before = source("PNG", "L", orientation=1, icc_profile=bytes(profile))
    image = opened(encode(before.photo, kind, before))
    assert (image.mode == "L") == ("icc_profile" in image.info) == bool(fits)


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


ODD = "© 2024 Jürgen Müller 写真"


def with_exif(entries, orientation=None, more=()):
    """A JPEG of 8x6 pixels whose EXIF is made of (tag, type, count, bytes), in the main directory
    and in EXIF's own; by hand, because Pillow corrects types.
    """
    if orientation:
        entries = [*entries, (0x0112, 3, 1, orientation.to_bytes(2, "little"))]
    place = 8 + 2 + 12 * (len(entries) + bool(more)) + 4
    own = place + sum(len(value) for *_, value in entries if len(value) > 4)
    if more:
        entries = [*entries, (0x8769, 4, 1, own.to_bytes(4, "little"))]

    def directory(entries, place):
        head, tail = struct.pack("<H", len(entries)), b""
        for tag, kind, count, value in sorted(entries):
            where = (
                value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", place + len(tail))
            )
            head += struct.pack("<HHI", tag, kind, count) + where
            tail += value if len(value) > 4 else b""
        return head + bytes(4) + tail

    data = b"II*\0" + struct.pack("<I", 8) + directory(entries, place)
    if more:
        data += directory(more, own + 2 + 12 * len(more) + 4)
    buffer = io.BytesIO()
    Image.fromarray(FACE[:6, :8]).save(buffer, "JPEG", exif=b"Exif\0\0" + data)
    return buffer.getvalue()


def text(tag, words):
    return tag, 2, len(words.encode()) + 1, words.encode() + b"\0"


@pytest.mark.parametrize("said", [None, SAID])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_words_of_any_letters_are_kept_as_they_are(kind, said):
    before = read_image(io.BytesIO(with_exif([text(33432, ODD)], more=[text(0xA434, ODD)])))
    for written in ({}, {"compressed": True}):
        before.info.update(written)
        exif = opened(encode(FACE[:6, :8], kind, before, said)).getexif()
        assert exif[33432].encode("latin-1").decode() == ODD
        assert exif.get_ifd(0x8769)[0xA434].encode("latin-1").decode() == ODD


@pytest.mark.parametrize(
    "odd",
    [
        (296, 1, 1, b"\2"),  # a unit of resolution as a byte
        text(256, "8"),
        text(282, "72"),
        (282, 10, 1, struct.pack("<ii", -72, 1)),
        (306, 5, 1, struct.pack("<II", 2024, 1)),  # a date as a fraction
    ],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tag_of_the_wrong_type_costs_itself_alone(orientation, odd):
    data = with_exif([text(0x010F, "Camera"), odd], orientation, more=[text(0xA434, "Lens")])
    before = read_image(io.BytesIO(data))
    assert before.photo.shape == ((6, 8, 3) if orientation == 1 else (8, 6, 3))
    assert before.as_stored == (orientation == 1)
    exif = opened(encode(before.photo, "JPEG", before)).getexif()
    assert exif.get(0x0112, 1) == 1
    assert exif[0x010F] == "Camera"
    assert exif.get_ifd(0x8769)[0xA434] == "Lens"


@pytest.mark.parametrize(("orientation", "sides"), [(1, (8, 6)), (3, (8, 6)), (6, (6, 8))])
def test_exif_says_the_sides_of_the_picture_as_it_is_now(orientation, sides):
    more = [(0xA002, 3, 1, b"\x08\0"), (0xA003, 3, 1, b"\x06\0")]
    before = read_image(io.BytesIO(with_exif([], orientation, more)))
    told = opened(encode(before.photo, "JPEG", before)).getexif().get_ifd(0x8769)
    assert (told[0xA002], told[0xA003]) == sides == before.photo.shape[1::-1]


def test_all_eight_orientations_come_out_upright():
    marked = FACE[:6, :8].copy()
    marked[:3, :4] = 255  # the upper left corner
    turns = {1: 0, 2: 1, 3: 2, 4: 3, 5: 0, 6: 1, 7: 2, 8: 3}
    corners = {0: (0, 0), 1: (0, -1), 2: (-1, -1), 3: (-1, 0)}  # where it is then
    for orientation, where in turns.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        Image.fromarray(marked).save(buffer, "PNG", exif=exif)
        photo = read_image(io.BytesIO(buffer.getvalue())).photo
        light = [i for i, place in corners.items() if photo[place].min() == 255]
        assert light == [where], orientation


def test_small_copies_in_xmp_are_not_kept():
    thumbnails = "<xmp:Thumbnails><rdf:Alt><rdf:li>small</rdf:li></rdf:Alt></xmp:Thumbnails>"
    packet = RIGHTS.replace("/></rdf:RDF>", f">{thumbnails}</rdf:Description></rdf:RDF>")
    packet = packet.replace("<x:xmpmeta", '<x:xmpmeta xmlns:xmp="http://ns.adobe.com/xap/1.0/"')
    kept = of_result(packet.encode())
    assert b"Thumbnails" not in kept
    assert b"small" not in kept
    assert ET.fromstring(kept) is not None
    assert b"A. Person" in kept


@pytest.mark.parametrize("said", ["='6'", ' = "6"', ">6"])
def test_xmp_says_upright_in_any_spelling(said):
    assert of_result(f"<a tiff:Orientation{said}".encode()).count(b"1") == 1


@pytest.mark.parametrize(("across", "down"), [(1, 2), (4, 1)])
def test_colours_of_a_rare_sampling_are_kept_whole(across, down):
    """4:4:0, as 4:2:2 is that was turned without loss, and 4:1:1: no fewer colours than before."""
    buffer = io.BytesIO()
    Image.fromarray(FACE).save(buffer, "JPEG", subsampling=0)
    data = bytearray(buffer.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = across << 4 | down  # of the first channel; its pixels are of no matter
    before = read_image(io.BytesIO(bytes(data)))
    kept = encode(FACE, "JPEG", before)
    assert kept[kept.index(b"\xff\xc0") + 11] == 0x11
