"""An XMP packet that also says what is invented; what it said before stays in it.

Edited as text and not as a tree: what we know nothing of comes out as it came in.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

DC, XMP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xap/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)

_ITEM = re.compile(r"<rdf:li\b([^<>]*[^<>/])?>([^<]*)</rdf:li>")
_FOR_ANY = re.compile(r"\bxml:lang\s*=\s*[\"']x-default[\"']")


def with_disclosure(xmp: bytes | None, text: str, tool: str, source_type: str) -> bytes:
    """The packet with our words after its own, and our digital source type in place of its own.

    Args:
        xmp: UTF-8; of None, or of what is no packet, a new one is made.
        text: for people, the end of dc:description.
        tool: the end of xmp:CreatorTool.
        source_type: for programs, IPTC's word for such pictures.
    """
    packet = _without(_decoded(xmp), IPTC, "DigitalSourceType")
    packet, described = _appended(packet, DC, "description", text, " ")
    packet, made = _appended(packet, XMP, "CreatorTool", tool, "; ")
    said = (
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC}"'
        f' xmlns:dc="{DC}" xmlns:xmp="{XMP}" Iptc4xmpExt:DigitalSourceType="{source_type}"'
    )
    said += ">" if made else f' xmp:CreatorTool="{_quoted(tool)}">'
    if not described:
        said += (
            f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{_quoted(text)}</rdf:li>'
            "</rdf:Alt></dc:description>"
        )
    head, tail = packet.rsplit("</rdf:RDF>", 1)
    return f"{head}{said}</rdf:Description></rdf:RDF>{tail}".encode()


def of_result(xmp: bytes) -> bytes:
    """The packet, saying that its picture is to be seen as it lies, and without small copies of it.

    Said in all forms that turn a picture, in a packet that is damaged, too. The small copies would
    show what is no longer there.
    """
    xmp = re.sub(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[0-9]", rb"\g<1>1", xmp)
    try:
        return _without(xmp.decode("utf-8"), XMP, "Thumbnails").encode()
    except UnicodeDecodeError:
        return xmp


def _decoded(xmp: bytes | None) -> str:
    try:
        packet = (xmp or b"").decode("utf-8")
    except UnicodeDecodeError:
        return EMPTY
    return packet if "</rdf:RDF>" in packet else EMPTY


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})


def _names(packet: str, space: str, name: str) -> str:
    """A pattern of what a property may be called: its name space goes by any prefix."""
    prefixes = re.findall(rf"xmlns:([\w.-]+)\s*=\s*[\"']{re.escape(space)}[\"']", packet)
    return "|".join(re.escape(f"{prefix}:{name}") for prefix in prefixes) or "(?!)"


def _attribute(names: str) -> str:
    return rf"(\s(?:{names})\s*=\s*)([\"'])(.*?)\2"


def _element(names: str) -> str:
    # Ends before the next of its kind: of many that are never closed, the end of none is sought.
    return rf"<({names})\b([^<>]*[^<>/])?>((?:[^<]|<(?!(?:{names})\b))*?)</\1\s*>"


def _without(packet: str, space: str, name: str) -> str:
    names = _names(packet, space, name)
    packet = re.sub(_attribute(names), "", packet, flags=re.DOTALL)
    packet = re.sub(_element(names), "", packet)
    return re.sub(rf"<(?:{names})\b[^<>]*/>", "", packet)


def _appended(packet: str, space: str, name: str, words: str, joint: str) -> tuple[str, bool]:
    """The packet with `words` at the end of a property, unless they are there; and whether it has.

    A property without a text in a form that we know is taken out.
    """
    names, words = _names(packet, space, name), _quoted(words)

    def joined(old: str) -> str:
        if words in old:
            return old
        return f"{old.rstrip()}{joint}{words}" if old.strip() else words

    found = re.search(_attribute(names), packet, re.DOTALL)
    if found:
        start, end = found.span(3)
        return packet[:start] + joined(found[3]) + packet[end:], True
    found = re.search(_element(names), packet)
    place = _text_in(found[3]) if found else None
    if found and place:
        start, end = (found.start(3) + at for at in place)
        return packet[:start] + joined(packet[start:end]) + packet[end:], True
    return _without(packet, space, name), False


def _text_in(value: str) -> tuple[int, int] | None:
    """Where a property's text lies in its value; of several languages, the one for any reader."""
    items = list(_ITEM.finditer(value))
    for item in [each for each in items if _FOR_ANY.search(each[1] or "")] or items:
        return item.span(2)
    return None if "<" in value else (0, len(value))
