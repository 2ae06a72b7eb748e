/** Shows dark faces to the networks in a usual light; as the library's `faces/exposure.py`. */

import { type Bytes, FACE_SIZE, rint } from "./image";

const [USUAL, BEGINS, WHOLE, MOST] = [175, 100, 66, 16];
const KNEE = 224;
const [MIDDLE_X, MIDDLE_Y, ACROSS, DOWN] = [128, 160, 52, 62];
const KNOWN = [1000, 3000];
const SAMPLED = 256;

/** How much brighter an aligned face is to be shown, by its known skin, or by all of the frame; 1 for most. */
export function gainOf(face: Bytes, hidden: Bytes | null = null): number {
  const counts = new Array<number>(256).fill(0);
  for (let p = 0; p < FACE_SIZE * FACE_SIZE; p++) {
    if (!hidden || (!hidden.data[p] && isSkin(p % FACE_SIZE, Math.floor(p / FACE_SIZE)))) counts[brightest(face.data, 3 * p)]++;
  }
  if (!hidden) return gainFor(counts);
  const [least, enough] = KNOWN;
  const told = Math.min(Math.max((total(counts) - least) / (enough - least), 0), 1);
  return told ? 1 + told * (gainFor(counts) - 1) : 1;
}

/** As a face of this gain is to be shown. */
export function lit(face: Bytes, gain: number): Bytes {
  const knee = KNEE / gain;
  return through(face, gain, (value) => (value <= knee ? value * gain : KNEE + (value - knee) * ((255 - KNEE) / (255 - knee))));
}

/** What a network makes of a face that was `lit`, in the light of its photo. */
export function unlit(face: Bytes, gain: number): Bytes {
  const knee = KNEE / gain;
  return through(face, gain, (value) => (value <= KNEE ? value / gain : knee + (value - KNEE) * ((255 - knee) / (255 - KNEE))));
}

/** A dark photo in a usual light; null: it is bright enough. */
export function brightened(photo: Bytes): Bytes | null {
  const { width, height, data } = photo;
  const [down, across] = [height, width].map((length) => Math.max(1, Math.floor(length / SAMPLED)));
  const counts = new Array<number>(256).fill(0);
  for (let y = 0; y < height; y += down) {
    for (let x = 0; x < width; x += across) counts[brightest(data, 3 * (y * width + x))]++;
  }
  const gain = gainFor(counts);
  return gain === 1 ? null : lit(photo, gain);
}

function through(face: Bytes, gain: number, shown: (value: number) => number): Bytes {
  if (gain === 1) return face;
  const table = Uint8Array.from({ length: 256 }, (_, value) => rint(shown(value)));
  return { ...face, data: face.data.map((value) => table[value]) };
}

function isSkin(x: number, y: number): boolean {
  return ((x - MIDDLE_X) * DOWN) ** 2 + ((y - MIDDLE_Y) * ACROSS) ** 2 <= (ACROSS * DOWN) ** 2;
}

/** Of how many pixels are as bright as each value. */
function gainFor(counts: number[]): number {
  const all = total(counts);
  let [bright, darker] = [0, counts[0]];
  while (20 * darker < 19 * all) darker += counts[++bright];
  bright = Math.max(1, bright);
  const share = Math.min(Math.max((BEGINS - bright) / (BEGINS - WHOLE), 0), 1);
  return 1 + share * (Math.min(USUAL / bright, MOST) - 1);
}

function total(counts: number[]): number {
  return counts.reduce((sum, each) => sum + each, 0);
}

function brightest(data: Uint8Array, i: number): number {
  return Math.max(data[i], data[i + 1], data[i + 2]);
}
