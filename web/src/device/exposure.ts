/** Shows dark faces to the networks in a usual light; as the library's `faces/exposure.py`. */

import { type Bytes, FACE_SIZE, toByte } from "./image";

const [USUAL, BEGINS, WHOLE, MOST] = [170, 90, 60, 16];
const [MIDDLE_X, MIDDLE_Y, ACROSS, DOWN] = [128, 135, 62, 88];
const FEWEST = 500;
const SAMPLED = 256;

/** How much brighter an aligned face is to be shown, by its pixels that are not hidden; 1 for most. */
export function gainOf(face: Bytes, hidden: Bytes | null = null): number {
  const [inside, known] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0)];
  for (let p = 0; p < FACE_SIZE * FACE_SIZE; p++) {
    if (hidden?.data[p]) continue;
    const luma = lumaOf(face.data, 3 * p);
    known[luma]++;
    const [x, y] = [p % FACE_SIZE, Math.floor(p / FACE_SIZE)];
    const off = ((x - MIDDLE_X) * DOWN) ** 2 + ((y - MIDDLE_Y) * ACROSS) ** 2;
    if (off <= (ACROSS * DOWN) ** 2) inside[luma]++;
  }
  return gainFor(total(inside) >= FEWEST ? inside : known);
}

/** A dark photo in a usual light; any other one itself. */
export function brightened(photo: Bytes): Bytes {
  const { width, height, data } = photo;
  const [down, across] = [height, width].map((length) => Math.max(1, Math.floor(length / SAMPLED)));
  const lumas = new Array<number>(256).fill(0);
  for (let y = 0; y < height; y += down) {
    for (let x = 0; x < width; x += across) lumas[lumaOf(data, 3 * (y * width + x))]++;
  }
  return scaled(photo, gainFor(lumas));
}

export function scaled(picture: Bytes, gain: number): Bytes {
  if (gain === 1) return picture;
  const table = Uint8Array.from({ length: 256 }, (_, value) => toByte(value * gain));
  return { ...picture, data: picture.data.map((value) => table[value]) };
}

/** Of how many pixels have each luma. */
function gainFor(lumas: number[]): number {
  const all = total(lumas);
  if (!all) return 1;
  let [bright, darker] = [0, lumas[0]];
  while (20 * darker < 19 * all) darker += lumas[++bright];
  bright = Math.max(1, bright);
  const share = Math.min(Math.max((BEGINS - bright) / (BEGINS - WHOLE), 0), 1);
  return 1 + share * (Math.min(USUAL / bright, MOST) - 1);
}

function total(counts: number[]): number {
  return counts.reduce((sum, each) => sum + each, 0);
}

function lumaOf(data: Uint8Array, i: number): number {
  return Math.floor((299 * data[i] + 587 * data[i + 1] + 114 * data[i + 2] + 500) / 1000);
}
