/** From a file to pixels, in the numbers that the file holds. */

import { Refusal } from "../engine";
import { bytes, type Bytes } from "./image";
import { profileOf } from "./profile";
import { upright } from "./upright";

export interface Decoded {
  photo: Bytes;
  /** The colour profile, which the result keeps. */
  profile: Uint8Array | null;
}

/** Decodes a photo, upright.
 *
 * @throws Refusal: not a picture, or a partly transparent one, whose colours a browser rounds.
 */
export async function decode(file: Blob): Promise<Decoded> {
  const profile = await profileOf(await file.arrayBuffer());
  // Where we cannot keep the profile, the browser turns the colours into those of every screen.
  const colorSpaceConversion = profile === undefined ? "default" : "none";
  let bitmap: ImageBitmap;
  try {
    bitmap = await upright(file, { premultiplyAlpha: "none", colorSpaceConversion });
  } catch {
    throw new Refusal("not-an-image", "This browser cannot open this file.");
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refusal("too-large", "This picture is too large for this browser.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const photo = bytes(width, height, 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    if (data[from + 3] < 255) {
      throw new Refusal("transparent", "This picture is partly transparent. Only the server can work on it.");
    }
    for (let c = 0; c < 3; c++, to++) photo.data[to] = data[from + c];
  }
  return { photo, profile: profile ?? null };
}

/** A mask from its file: white = hidden. */
export async function decodeMask(file: Blob, width: number, height: number): Promise<Bytes> {
  const { photo } = await decode(file);
  if (photo.width !== width || photo.height !== height) {
    throw new Refusal("bad-mask", "The mask and the photo must be of the same size.");
  }
  const mask = bytes(width, height);
  for (let p = 0; p < mask.data.length; p++) mask.data[p] = photo.data[3 * p] > 127 ? 1 : 0;
  return mask;
}
