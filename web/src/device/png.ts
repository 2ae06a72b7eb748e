/** Writes PNG files: exact pixels, the photo's colour profile, and what must be said of them. Reads them back. */

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
/** Of one to four channels; the second and the fourth have opacity. */
const COLOUR_TYPES = [0, 4, 2, 6];
const UP = 2;
const SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

type Part = Uint8Array<ArrayBuffer>;

/** A piece of a file, for what it is named. */
export interface Chunk {
  name: string;
  data: Part;
}

/** A photo (three channels) or a mask (one) as a file. */
export async function encode(
  picture: Bytes,
  profile: Uint8Array | null = null,
  disclosure: Disclosure | null = null,
): Promise<Blob> {
  const chunks: Chunk[] = [];
  if (profile) {
    const data = joined(latin("ICC profile\0\0"), await deflate(new Uint8Array(profile)));
    chunks.push({ name: "iCCP", data });
  }
  if (disclosure) {
    const said = sentence(disclosure);
    const maker = `unveil ${disclosure.version}`;
    chunks.push(words("Software", maker), words("Disclaimer", said));
    chunks.push(anyWords("XML:com.adobe.xmp", xmp(maker, quoted(said))));
  }
  return write(picture, chunks);
}

/** Pixels, and the chunks that stand before them. */
export async function write(picture: Bytes, chunks: Chunk[]): Promise<Blob> {
  const { width, height, channels } = picture;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, COLOUR_TYPES[channels - 1]);
  const parts: Part[] = [new Uint8Array(SIGNATURE), chunk("IHDR", new Uint8Array(header.buffer))];
  for (const { name, data } of chunks) parts.push(chunk(name, data));
  parts.push(chunk("IDAT", await deflate(filtered(picture))), chunk("IEND", new Uint8Array()));
  return new Blob(parts, { type: "image/png" });
}

/** The pixels of a file as `write` or the server writes it, and its other chunks.
 *
 * A browser's own decoder would round the colours under what is partly transparent.
 *
 * @throws Error: another kind of PNG.
 */
export async function read(file: Blob): Promise<{ picture: Bytes; chunks: Chunk[] }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const chunks: Chunk[] = [];
  const packed: Part[] = [];
  for (let at = SIGNATURE.length; at < bytes.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.slice(at + 8, at + 8 + view.getUint32(at));
    if (name === "IDAT") packed.push(data);
    else if (name !== "IEND") chunks.push({ name, data });
  }
  const header = new DataView((chunks.shift() as Chunk).data.buffer);
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  const channels = 1 + COLOUR_TYPES.indexOf(header.getUint8(9));
  const rows = await inflate(joined(...packed));
  const plain = header.getUint8(8) === 8 && rows.length === (width * channels + 1) * height;
  if (!plain) throw new Error("this is another kind of PNG");
  return { picture: { width, height, channels, data: unfiltered(rows, width * channels) }, chunks };
}

/** A text as most programs read it; models may have names beyond Latin letters. */
function words(key: string, text: string): Chunk {
  if (/[^\x20-\xff]/.test(text)) return anyWords(key, text);
  return { name: "tEXt", data: latin(`${key}\0${text}`) };
}

function anyWords(key: string, text: string): Chunk {
  return { name: "iTXt", data: new TextEncoder().encode(`${key}\0\0\0\0\0${text}`) };
}

/** As XML has it. */
function quoted(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
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

/** Takes the rows of `filtered` back to pixels. */
function unfiltered(rows: Part, row: number): Part {
  const made = new Uint8Array(rows.length - rows.length / (row + 1));
  for (let from = 0, to = 0; from < rows.length; from += row + 1, to += row) {
    if (rows[from] !== UP) throw new Error("this is another kind of PNG");
    for (let i = 0; i < row; i++) made[to + i] = rows[from + 1 + i] + (to ? made[to - row + i] : 0);
  }
  return made;
}

async function deflate(data: Part): Promise<Part> {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function inflate(data: Part): Promise<Part> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
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

function chunk(name: string, data: Uint8Array): Part {
  const made = joined(new Uint8Array(4), latin(name), data, new Uint8Array(4));
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
