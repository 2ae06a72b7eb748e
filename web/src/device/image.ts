/** Pictures as the library has them: rows of pixels, the channels of a pixel beside each other. */

export interface Picture<D extends Uint8Array | Float32Array> {
  width: number;
  height: number;
  channels: number;
  data: D;
}

/** uint8: a photo (three channels), or a mask (one; over 0 = hidden). */
export type Bytes = Picture<Uint8Array>;
export type Floats = Picture<Float32Array>;

export const FACE_SIZE = 256;
export const LUMA = [0.299, 0.587, 0.114];

export function bytes(width: number, height: number, channels = 1, fill = 0): Bytes {
  const data = new Uint8Array(width * height * channels);
  return { width, height, channels, data: fill ? data.fill(fill) : data };
}

export function floats(width: number, height: number, channels = 1): Floats {
  return { width, height, channels, data: new Float32Array(width * height * channels) };
}

/** An empty picture of the same kind. */
export function like<D extends Uint8Array | Float32Array>(
  picture: Picture<D>,
  width: number,
  height: number,
): Picture<D> {
  const size = width * height * picture.channels;
  const data = (picture.data instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size)) as D;
  return { width, height, channels: picture.channels, data };
}

export function copy<D extends Uint8Array | Float32Array>(picture: Picture<D>): Picture<D> {
  const made = like(picture, picture.width, picture.height);
  made.data.set(picture.data);
  return made;
}

/** Rounds to the nearest integer, halves to the even one, as the library does. */
export function rint(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : rint(value);
}

/** Left, top, right and bottom of a part; the last two are one past it. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function isEmpty(box: Box): boolean {
  return box.left >= box.right || box.top >= box.bottom;
}

export function crop<D extends Uint8Array | Float32Array>(picture: Picture<D>, box: Box): Picture<D> {
  const part = like(picture, Math.max(0, box.right - box.left), Math.max(0, box.bottom - box.top));
  const row = part.width * picture.channels;
  for (let y = 0; y < part.height; y++) {
    const from = ((box.top + y) * picture.width + box.left) * picture.channels;
    part.data.set(picture.data.subarray(from, from + row), y * row);
  }
  return part;
}

/** The smallest box that holds all of a mask; null for an empty one. */
export function bounds(mask: Bytes): Box | null {
  const { width, height, data } = mask;
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!data[i]) continue;
      if (x < box.left) box.left = x;
      if (x >= box.right) box.right = x + 1;
      if (y < box.top) box.top = y;
      box.bottom = y + 1;
    }
  }
  return box.right ? box : null;
}

export function any(mask: Bytes): boolean {
  return mask.data.some((value) => value > 0);
}

export function count(mask: Bytes): number {
  let sum = 0;
  for (const value of mask.data) if (value) sum++;
  return sum;
}

/** A mask of which pixels pass. */
export function where(
  picture: Picture<Uint8Array | Float32Array>,
  pass: (value: number, place: number) => boolean,
): Bytes {
  const mask = bytes(picture.width, picture.height);
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = pass(picture.data[i], i) ? 1 : 0;
  return mask;
}

/** Whether a photo is no grey one, by its pixels outside of a mask; where there are none, it is not. */
export function hasColours(photo: Bytes, hidden: Bytes): boolean {
  let known = false;
  for (let p = 0, i = 0; p < hidden.data.length; p++, i += 3) {
    if (hidden.data[p]) continue;
    known = true;
    if (photo.data[i] !== photo.data[i + 1] || photo.data[i] !== photo.data[i + 2]) return true;
  }
  return !known;
}

/** Makes what a mask says of a photo grey, in place. */
export function removeColours(photo: Bytes, mask: Bytes): void {
  for (let p = 0; p < mask.data.length; p++) {
    if (!mask.data[p]) continue;
    const grey = rint(LUMA.reduce((sum, share, c) => sum + share * photo.data[3 * p + c], 0));
    photo.data.fill(grey, 3 * p, 3 * p + 3);
  }
}
