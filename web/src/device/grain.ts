/** Gives an enlarged, soft part the grain of the skin beside it; as the library's `faces/grain.py`. */

import { any, type Box, type Bytes, bounds, bytes, crop, type Floats, floats, toByte } from "./image";
import { pyrDown, pyrUp } from "./filter";
import { normal } from "./noise";

const MOST_OCTAVES = 5;
/** Canonical pixels to one of the photo: a smaller face gets no grain. */
const SMALLEST = 2;
const LEAST_PIXELS = 100;
const MOST_PIXELS = 20_000;
const DEVIATIONS = 1.4826;
/** Of squares of so many pixels, the sixth that has the fill's colour, and of that the calmer half, is measured. */
const SQUARE = 8;
const [ALIKE, CALM] = [6, 2];
/** In a small face, whose features are as fine as noise, the calmest sixth of half of all. */
const [SMALL_ALIKE, SMALL_CALM] = [2, 6];
const [LEAST_ALIKE, LEAST_CALM] = [4, 2];
const TILE = 512;
const MARGIN = 16;
/** What is measured and filled begins at multiples of this: a pixel more or less changes no grain. */
const GRID = 2 ** MOST_OCTAVES;

/** Row after row. */
type Matrix3 = number[];

/** `fill` with the grain that `photo` has on `skin`; `left` and `top`, where in the photo it begins. */
export function grain(
  photo: Bytes,
  skin: Bytes,
  fill: Bytes,
  invented: Bytes,
  scale: number,
  left: number,
  top: number,
): Bytes {
  const octaves = Math.min(MOST_OCTAVES, Math.max(1, Math.ceil(-Math.log2(scale))));
  if (scale > SMALLEST || !bounds(skin) || !bounds(invented)) return fill;
  const measured = alike(photo, skin, fill, invented, scale >= 1);
  if (!any(measured)) return fill;
  const wanted = strengths(photo, measured, octaves);
  const given = strengths(fill, invented, octaves);
  const sizes = [[fill.width, fill.height]];
  for (const _ of wanted) {
    const [width, height] = sizes[sizes.length - 1];
    sizes.push([(width + 1) >> 1, (height + 1) >> 1]);
  }
  const [width, height] = sizes[wanted.length];
  let noise = floats(width, height, 3);
  for (let octave = wanted.length - 1; octave >= 0; octave--) {
    const [wide, tall] = sizes[octave];
    noise = pyrUp(noise, wide, tall);
    addNoise(noise, octave, left >> octave, top >> octave, root(wanted[octave].map((value, i) => value - (given[octave]?.[i] ?? 0))));
  }
  const made = { ...fill, data: new Uint8Array(fill.data.length) };
  for (let i = 0; i < made.data.length; i++) made.data[i] = toByte(Math.fround(fill.data[i] + noise.data[i]));
  return made;
}

/** A part, widened to multiples of GRID within width x height. */
export function onGrid(box: Box, width: number, height: number): Box {
  return {
    left: Math.floor(box.left / GRID) * GRID,
    top: Math.floor(box.top / GRID) * GRID,
    right: Math.min(Math.ceil(box.right / GRID) * GRID, width),
    bottom: Math.min(Math.ceil(box.bottom / GRID) * GRID, height),
  };
}

interface Square {
  left: number;
  top: number;
  off: number;
  unrest: number;
}

/** What of `skin` is calm and has the colour of the fill, square by square. */
function alike(photo: Bytes, skin: Bytes, fill: Bytes, invented: Bytes, small: boolean): Bytes {
  const colour = medianColour(fill, invented);
  const squares: Square[] = [];
  for (let top = 0; top + SQUARE <= skin.height; top += SQUARE) {
    for (let left = 0; left + SQUARE <= skin.width; left += SQUARE) {
      const square = squareOf(photo, skin, left, top, colour);
      if (square) squares.push(square);
    }
  }
  const [share, calm] = small ? [SMALL_ALIKE, SMALL_CALM] : [ALIKE, CALM];
  if (squares.length < LEAST_ALIKE) return small ? bytes(skin.width, skin.height) : skin;
  const near = squares
    .sort((a, b) => a.off - b.off)
    .slice(0, Math.max(Math.ceil(squares.length / share), LEAST_ALIKE))
    .sort((a, b) => a.unrest - b.unrest);
  const found = { ...skin, data: new Uint8Array(skin.data.length) };
  for (const { left, top } of near.slice(0, Math.max(Math.ceil(near.length / calm), LEAST_CALM))) {
    for (let y = top; y < top + SQUARE; y++) found.data.fill(1, y * skin.width + left, y * skin.width + left + SQUARE);
  }
  return found;
}

/** The median of each colour of the fill. */
function medianColour(fill: Bytes, invented: Bytes): number[] {
  const counts = [0, 1, 2].map(() => new Int32Array(256));
  let count = 0;
  for (let i = 0; i < invented.data.length; i++) {
    if (!invented.data[i]) continue;
    count++;
    for (let c = 0; c < 3; c++) counts[c][fill.data[3 * i + c]]++;
  }
  return counts.map((values) => {
    let value = 0;
    for (let below = values[0]; below <= Math.floor((count - 1) / 2); below += values[value]) value++;
    return value;
  });
}

/** How far the colour of a square is off, and how much it bends; null where not all of it is skin. */
function squareOf(photo: Bytes, skin: Bytes, left: number, top: number, colour: number[]): Square | null {
  const sum = [0, 0, 0];
  let unrest = 0;
  const row = 3 * photo.width;
  for (let y = 0; y < SQUARE; y++) {
    for (let x = 0, i = (top + y) * skin.width + left; x < SQUARE; x++, i++) {
      if (!skin.data[i]) return null;
      for (let p = 3 * i; p < 3 * i + 3; p++) {
        sum[p - 3 * i] += photo.data[p];
        if (x > 1) unrest += Math.abs(photo.data[p] - 2 * photo.data[p - 3] + photo.data[p - 6]);
        if (y > 1) unrest += Math.abs(photo.data[p] - 2 * photo.data[p - row] + photo.data[p - 2 * row]);
      }
    }
  }
  const off = sum.reduce((total, value, c) => total + Math.abs(value - colour[c] * SQUARE ** 2), 0);
  return { left, top, off, unrest };
}

/** The covariance of each octave, finest first, as long as enough pixels are left. */
function strengths(image: Bytes, where: Bytes, octaves: number): Matrix3[] {
  const found: Matrix3[] = [];
  const tight = bounds(where);
  if (!tight) return found;
  const box = onGrid(tight, where.width, where.height);
  const part = crop(image, box);
  let level: Floats = { ...part, data: Float32Array.from(part.data) };
  let mask = crop(where, box);
  for (let octave = 0; octave < octaves; octave++) {
    const places: number[] = [];
    mask.data.forEach((value, i) => value && places.push(i));
    if (places.length < LEAST_PIXELS) break;
    const coarse = pyrDown(level);
    const smooth = pyrUp(coarse, level.width, level.height);
    const step = Math.max(1, Math.floor(places.length / MOST_PIXELS));
    const band: Float32Array[] = [0, 1, 2].map(() => new Float32Array(Math.ceil(places.length / step)));
    for (let i = 0, n = 0; i < places.length; i += step, n++) {
      for (let c = 0; c < 3; c++) band[c][n] = level.data[3 * places[i] + c] - smooth.data[3 * places[i] + c];
    }
    found.push(covariance(band));
    level = coarse;
    mask = halved(mask);
  }
  return found;
}

/** Every other pixel. */
function halved(mask: Bytes): Bytes {
  const { width, height } = mask;
  const small = { width: (width + 1) >> 1, height: (height + 1) >> 1, channels: 1, data: new Uint8Array() };
  small.data = new Uint8Array(small.width * small.height);
  for (let y = 0, to = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2, to++) small.data[to] = mask.data[y * width + x];
  }
  return small;
}

/** The covariance of three channels, without what is detail. */
function covariance(band: Float32Array[]): Matrix3 {
  const deviation = band.map((channel) => median(channel.map(Math.abs)) * DEVIATIONS);
  const calm: number[] = [];
  for (let i = 0; i < band[0].length; i++) {
    if (band.every((channel, c) => Math.abs(channel[i]) <= 2.5 * deviation[c] + 1e-6)) calm.push(i);
  }
  const made = new Array<number>(9).fill(0);
  const same = band.some((channel) => calm.every((i) => channel[i] === channel[calm[0]]));
  if (calm.length < Math.floor(LEAST_PIXELS / 4) || same || Math.min(...deviation) <= 0) {
    for (let c = 0; c < 3; c++) made[4 * c] = deviation[c] ** 2;
    return made;
  }
  const means = band.map((channel) => calm.reduce((sum, i) => sum + channel[i], 0) / calm.length);
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 3; b++) {
      let sum = 0;
      for (const i of calm) sum += (band[a][i] - means[a]) * (band[b][i] - means[b]);
      made[3 * a + b] = sum;
    }
  }
  const spreads = [0, 4, 8].map((i) => Math.sqrt(made[i]));
  return made.map((value, i) => {
    const [a, b] = [Math.floor(i / 3), i % 3];
    const correlation = Math.min(Math.max(value / spreads[a] / spreads[b], -1), 1);
    return correlation * deviation[a] * deviation[b];
  });
}

/** The mean of the two in the middle, where there are two; sorts the values. */
export function median(values: Float32Array): number {
  const sorted = values.sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : Math.fround((sorted[middle - 1] + sorted[middle]) / 2);
}

/** The symmetric square root; what is negative becomes 0. By Jacobi's rotations. */
export function root(matrix: Matrix3): Matrix3 {
  const a = matrix.map((value) => (Number.isFinite(value) ? value : 0));
  const v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const off = a[3 * p + q];
      if (Math.abs(off) < 1e-300) continue;
      const theta = (a[4 * q] - a[4 * p]) / (2 * off);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      const s = t * c;
      rotate(a, p, q, c, s, 3, 1);
      rotate(a, p, q, c, s, 1, 3);
      rotate(v, p, q, c, s, 1, 3);
    }
  }
  const roots = [0, 4, 8].map((i) => Math.sqrt(Math.max(a[i], 0)));
  return matrix.map((_, i) => {
    const [row, column] = [Math.floor(i / 3), i % 3];
    return roots.reduce((sum, value, k) => sum + v[3 * row + k] * value * v[3 * column + k], 0);
  });
}

/** Turns lines p and q of a 3x3 matrix: its rows (step 3, 1) or its columns (step 1, 3). */
function rotate(m: Matrix3, p: number, q: number, c: number, s: number, step: number, along: number): void {
  for (let k = 0; k < 3; k++) {
    const [i, j] = [p * step + k * along, q * step + k * along];
    [m[i], m[j]] = [c * m[i] - s * m[j], s * m[i] + c * m[j]];
  }
}

let tile: Float32Array | null = null;

/** TILE x TILE x 3: noise of one octave, of deviation 1, without seams. */
function tileOf(): Float32Array {
  if (tile) return tile;
  const white = normal(0, TILE * TILE * 3);
  const wide = floats(TILE + 2 * MARGIN, TILE + 2 * MARGIN, 3);
  const wrap = (i: number): number => (i - MARGIN + TILE) % TILE;
  for (let y = 0, to = 0; y < wide.height; y++) {
    for (let x = 0; x < wide.width; x++, to += 3) {
      const from = (wrap(y) * TILE + wrap(x)) * 3;
      for (let c = 0; c < 3; c++) wide.data[to + c] = white[from + c];
    }
  }
  const smooth = pyrUp(pyrDown(wide), wide.width, wide.height);
  const band = new Float32Array(TILE * TILE * 3);
  let [sum, squares] = [0, 0];
  for (let y = 0, to = 0; y < TILE; y++) {
    for (let i = 3 * MARGIN; i < 3 * (TILE + MARGIN); i++, to++) {
      const at = 3 * (y + MARGIN) * wide.width + i;
      band[to] = wide.data[at] - smooth.data[at];
      sum += band[to];
      squares += band[to] ** 2;
    }
  }
  const deviation = Math.sqrt(squares / band.length - (sum / band.length) ** 2);
  tile = band.map((value) => value / deviation);
  return tile;
}

/** Another part of the tile for each octave, mixed by a symmetric matrix. */
function addNoise(noise: Floats, octave: number, left: number, top: number, mix: Matrix3): void {
  const band = tileOf();
  const start = octave * 97;
  for (let y = 0, to = 0; y < noise.height; y++) {
    const row = ((y + top + start) % TILE) * TILE;
    for (let x = 0; x < noise.width; x++, to += 3) {
      const at = 3 * (row + ((x + left + start) % TILE));
      for (let c = 0; c < 3; c++) {
        noise.data[to + c] += mix[3 * c] * band[at] + mix[3 * c + 1] * band[at + 1] + mix[3 * c + 2] * band[at + 2];
      }
    }
  }
}
