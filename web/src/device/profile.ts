/** Finds the colour profile in a file, which tells what its numbers mean. */

import { type FilePart, partsOf, textOf } from "./parts";
import { inflate } from "./png";

const JPEG_MARK = "ICC_PROFILE\0";

/** The RGB profile of a PNG, JPEG or WebP; null: none, or of other colours; undefined: another form. */
export async function profileOf(file: ArrayBuffer): Promise<Uint8Array | null | undefined> {
  const parts = partsOf(new Uint8Array(file));
  if (!parts) return undefined;
  try {
    const found = await within(parts);
    const colours = found && textOf(found.subarray(16, 20));
    return colours === "RGB " ? found : null;
  } catch {
    return null; // a damaged profile is no reason to refuse the picture
  }
}

async function within(parts: Generator<FilePart>): Promise<Uint8Array | null> {
  const segments: Uint8Array[] = []; // of a JPEG, which say which of how many they are
  for (const [name, data] of parts) {
    if (name === "IDAT") return null;
    if (name === "iCCP") return inflate(data.slice(data.indexOf(0) + 2));
    if (name === "ICCP") return data.slice();
    if (name === "e2" && textOf(data.subarray(0, JPEG_MARK.length)) === JPEG_MARK) segments[data[12] - 1] = data.subarray(14);
  }
  if (!segments.length) return null;
  const whole = new Uint8Array(segments.reduce((sum, part) => sum + part.length, 0));
  segments.reduce((to, part) => (whole.set(part, to), to + part.length), 0);
  return whole;
}
