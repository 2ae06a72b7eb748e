/** The download with what is invented tinted: the same file, what it says of itself included, with other pixels. */

import { any, type Bytes, bytes, rint } from "./device/image";
import { read, write } from "./device/png";

/** As the server's option `overlay` tints: this colour, half as strong as the picture. */
const TINT = [88, 80, 214];

/** @param invented over 0 = invented. */
export async function marked(file: Blob, invented: Bytes): Promise<Blob> {
  if (!any(invented)) return file; // the visitor's own, of whatever kind
  const { picture, chunks } = await read(file);
  // The tint is no grey; the profile of a grey picture is for greys only.
  const grey = picture.channels < 3;
  const kept = grey ? chunks.filter(({ name }) => name !== "iCCP") : chunks;
  return write(tinted(grey ? inColours(picture) : picture, invented), kept);
}

function tinted(picture: Bytes, invented: Bytes): Bytes {
  const data = picture.data.slice();
  for (let p = 0; p < invented.data.length; p++) {
    if (!invented.data[p]) continue;
    const at = p * picture.channels;
    for (let c = 0; c < 3; c++) data[at + c] = rint((data[at + c] + TINT[c]) / 2);
  }
  return { ...picture, data };
}

/** Greys as colours; opacity stays. */
function inColours({ width, height, channels, data }: Bytes): Bytes {
  const made = bytes(width, height, channels + 2);
  for (let p = 0; p < width * height; p++) {
    const to = p * made.channels;
    made.data.fill(data[p * channels], to, to + 3);
    if (channels === 2) made.data[to + 3] = data[p * channels + 1];
  }
  return made;
}
