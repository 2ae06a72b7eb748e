/** Writes PNG files: exact pixels, the photo's colour profile, and what must be said of them. */

import type { Bytes } from "./image";

/** As the library's `metadata.Disclosure`. */
export interface Disclosure {
  version: string;
  model: string;
  /** Invented pixels / all pixels. */
  invented: number;
  /** Faces of which a part is invented. */
  faces: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOUR_TYPES: Record<number, number> = { 1: 0, 3: 2 };
const UP = 2;
const SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

type Part = Uint8Array<ArrayBuffer>;

/** A photo (three channels) or a mask (one) as a file. */
export async function encode(
  picture: Bytes,
  profile: Uint8Array | null = null,
  disclosure: Disclosure | null = null,
): Promise<Blob> {
  const { width, height, channels } = picture;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, COLOUR_TYPES[channels]);
  const parts: Part[] = [new Uint8Array(SIGNATURE), chunk("IHDR", new Uint8Array(header.buffer))];
  if (profile) parts.push(chunk("iCCP", joined(latin("ICC profile\0\0"), await deflate(new Uint8Array(profile)))));
  if (disclosure) {
    const said = sentence(disclosure);
    const maker = `unveil ${disclosure.version}`;
    parts.push(chunk("tEXt", latin(`Software\0${maker}`)), chunk("tEXt", latin(`Disclaimer\0${said}`)));
    const packet = new TextEncoder().encode(`XML:com.adobe.xmp\0\0\0\0\0${xmp(maker, said)}`);
    parts.push(chunk("iTXt", packet));
  }
  parts.push(chunk("IDAT", await deflate(filtered(picture))), chunk("IEND", new Uint8Array()));
  return new Blob(parts, { type: "image/png" });
}

/** One sentence for people. */
function sentence({ version, model, invented, faces }: Disclosure): string {
  const which = faces === 1 ? "1 face" : `${faces} faces`;
  const share = (100 * invented).toFixed(2);
  return (
    `Part of ${which} (${share} % of this picture) was invented by unveil ${version}, model ${model}. ` +
    "Not for identification."
  );
}

/** The same for programs. */
function xmp(maker: string, said: string): string {
  return (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"' +
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"' +
    ` xmp:CreatorTool="${maker}" Iptc4xmpExt:DigitalSourceType="${SOURCE_TYPE}">` +
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${said}</rdf:li></rdf:Alt></dc:description>` +
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
  );
}

/** Each row as its difference from the one above, which packs well. */
function filtered({ width, height, channels, data }: Bytes): Part {
  const row = width * channels;
  const made = new Uint8Array((row + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (row + 1);
    made[to] = UP;
    for (let i = 0; i < row; i++) made[to + 1 + i] = data[y * row + i] - (y ? data[(y - 1) * row + i] : 0);
  }
  return made;
}

async function deflate(data: Part): Promise<Part> {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function latin(text: string): Part {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function joined(...parts: Uint8Array[]): Part {
  const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((to, part) => (made.set(part, to), to + part.length), 0);
  return made;
}

function chunk(kind: string, data: Uint8Array): Part {
  const made = joined(new Uint8Array(4), latin(kind), data, new Uint8Array(4));
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  view.setUint32(made.length - 4, checksum(made.subarray(4, made.length - 4)));
  return made;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function checksum(data: Uint8Array): number {
  let c = 0xffffffff;
  for (const value of data) c = TABLE[(c ^ value) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
