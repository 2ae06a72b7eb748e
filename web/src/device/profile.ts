/** Finds the colour profile in a file, which tells what its numbers mean. */

import { inflate } from "./png";

const JPEG_MARK = "ICC_PROFILE\0";

/** The RGB profile of a PNG, JPEG or WebP; null: none, or of other colours; undefined: another form. */
export async function profileOf(file: ArrayBuffer): Promise<Uint8Array | null | undefined> {
  const view = new DataView(file);
  const parts = new Uint8Array(file);
  const at = (start: number, length: number): string => String.fromCharCode(...parts.subarray(start, start + length));
  try {
    let found: Uint8Array | null | undefined;
    if (at(1, 3) === "PNG") found = await ofPng(view, parts, at);
    else if (view.getUint16(0) === 0xffd8) found = ofJpeg(view, parts, at);
    else if (at(0, 4) === "RIFF" && at(8, 4) === "WEBP") found = ofWebp(view, parts, at);
    else return undefined;
    const colours = found && String.fromCharCode(...found.subarray(16, 20));
    return colours === "RGB " ? found : null;
  } catch {
    return null; // a damaged profile is no reason to refuse the picture
  }
}

type Reader = (start: number, length: number) => string;

async function ofPng(view: DataView, parts: Uint8Array, at: Reader): Promise<Uint8Array | null> {
  for (let i = 8; i + 8 < parts.length; i += 12 + view.getUint32(i)) {
    const kind = at(i + 4, 4);
    if (kind === "IDAT") return null;
    if (kind !== "iCCP") continue;
    const data = parts.subarray(i + 8, i + 8 + view.getUint32(i));
    return inflate(data.slice(data.indexOf(0) + 2));
  }
  return null;
}

/** In segments that say which of how many they are. */
function ofJpeg(view: DataView, parts: Uint8Array, at: Reader): Uint8Array | null {
  const found: Uint8Array[] = [];
  for (let i = 2; i + 4 < parts.length && parts[i] === 0xff && parts[i + 1] !== 0xda; ) {
    const length = view.getUint16(i + 2);
    if (parts[i + 1] === 0xe2 && at(i + 4, JPEG_MARK.length) === JPEG_MARK) {
      found[parts[i + 16] - 1] = parts.subarray(i + 18, i + 2 + length);
    }
    i += 2 + length;
  }
  if (!found.length) return null;
  const whole = new Uint8Array(found.reduce((sum, part) => sum + part.length, 0));
  found.reduce((to, part) => (whole.set(part, to), to + part.length), 0);
  return whole;
}

function ofWebp(view: DataView, parts: Uint8Array, at: Reader): Uint8Array | null {
  for (let i = 12; i + 8 < parts.length; ) {
    const length = view.getUint32(i + 4, true);
    if (at(i, 4) === "ICCP") return parts.slice(i + 8, i + 8 + length);
    i += 8 + length + (length % 2);
  }
  return null;
}
