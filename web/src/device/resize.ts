/** Resizing with OpenCV's arithmetic, so that both sides give the same numbers.
 *
 * uint8 is exact for area (the same float32 sums in the same order) and linear (the same integers);
 * cubic and float32 agree to rounding.
 */

import { like, type Picture, rint, toByte } from "./image";

type Data = Uint8Array | Float32Array;
const { fround } = Math;

/** Of a weight, where OpenCV works with integers. */
const BITS = 11;
const CUBIC_A = -0.75;

/** To side x side: area average when it shrinks, cubic when it grows; as `imaging.resize`. */
export function resize<D extends Data>(picture: Picture<D>, side: number): Picture<D> {
  if (picture.width === side && picture.height === side) return picture;
  return picture.height > side ? resizeArea(picture, side, side) : resizeCubic(picture, side, side);
}

/** Each new pixel is the mean of those that it covers. */
export function resizeArea<D extends Data>(picture: Picture<D>, width: number, height: number): Picture<D> {
  if (width === picture.width && height === picture.height) return picture;
  const across = 1 / (width / picture.width);
  const down = 1 / (height / picture.height);
  if (across < 1 || down < 1) return resizeLinear(picture, width, height);
  const [stepX, stepY] = [Math.round(across), Math.round(down)];
  const whole = Math.abs(across - stepX) < Number.EPSILON && Math.abs(down - stepY) < Number.EPSILON;
  if (whole) return resizeWhole(picture, width, height, stepX, stepY);

  const { channels, data } = picture;
  const made = like(picture, width, height);
  const columns = areaTable(picture.width, width, across);
  const rows = areaTable(picture.height, height, down);
  const line = width * channels;
  const buffer = new Float32Array(line);
  const sum = new Float32Array(line);
  const isBytes = data instanceof Uint8Array;
  const rowLength = picture.width * channels;
  for (let y = 0; y < height; y++) {
    for (let r = rows.first[y]; r < rows.first[y + 1]; r++) {
      const at = rows.source[r] * rowLength;
      buffer.fill(0);
      for (let x = 0, to = 0; x < width; x++, to += channels) {
        for (let k = columns.first[x]; k < columns.first[x + 1]; k++) {
          const from = at + columns.source[k] * channels;
          const weight = columns.weight[k];
          for (let c = 0; c < channels; c++) {
            buffer[to + c] = fround(buffer[to + c] + fround(data[from + c] * weight));
          }
        }
      }
      const weight = rows.weight[r];
      if (r === rows.first[y]) for (let i = 0; i < line; i++) sum[i] = fround(weight * buffer[i]);
      else for (let i = 0; i < line; i++) sum[i] = fround(sum[i] + fround(weight * buffer[i]));
    }
    const to = y * line;
    if (isBytes) for (let i = 0; i < line; i++) made.data[to + i] = toByte(sum[i]);
    else made.data.set(sum, to);
  }
  return made;
}

/** Blocks of whole pixels. */
function resizeWhole<D extends Data>(
  picture: Picture<D>,
  width: number,
  height: number,
  stepX: number,
  stepY: number,
): Picture<D> {
  const { channels, data } = picture;
  const made = like(picture, width, height);
  const isBytes = data instanceof Uint8Array;
  const share = fround(1 / (stepX * stepY));
  const halves = isBytes && stepX === 2 && stepY === 2;
  const row = picture.width * channels;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let dy = 0; dy < stepY; dy++) {
          let from = (y * stepY + dy) * row + x * stepX * channels + c;
          for (let dx = 0; dx < stepX; dx++, from += channels) sum += data[from];
        }
        if (halves) made.data[to] = (sum + 2) >> 2;
        else made.data[to] = isBytes ? toByte(fround(sum * share)) : sum * share;
      }
    }
  }
  return made;
}

interface AreaTable {
  /** Where the terms of each new pixel begin; one more for the end. */
  first: Int32Array;
  source: number[];
  weight: number[];
}

function areaTable(from: number, to: number, scale: number): AreaTable {
  const table: AreaTable = { first: new Int32Array(to + 1), source: [], weight: [] };
  const add = (source: number, weight: number): void => {
    table.source.push(source);
    table.weight.push(fround(weight));
  };
  for (let i = 0; i < to; i++) {
    table.first[i] = table.source.length;
    const begin = i * scale;
    const end = begin + scale;
    const cell = Math.min(scale, from - begin);
    const last = Math.min(Math.floor(end), from - 1);
    const start = Math.min(Math.ceil(begin), last);
    if (start - begin > 1e-3) add(start - 1, (start - begin) / cell);
    for (let source = start; source < last; source++) add(source, 1 / cell);
    if (end - last > 1e-3) add(last, Math.min(Math.min(end - last, 1), cell) / cell);
  }
  table.first[to] = table.source.length;
  return table;
}

export function resizeLinear<D extends Data>(picture: Picture<D>, width: number, height: number): Picture<D> {
  return separable(picture, width, height, 2, (rest) => [fround(1 - rest), rest]);
}

export function resizeCubic<D extends Data>(picture: Picture<D>, width: number, height: number): Picture<D> {
  return separable(picture, width, height, 4, cubicWeights);
}

/** The four weights of cubic convolution (Keys, 1981). */
export function cubicWeights(x: number): number[] {
  const a = CUBIC_A;
  const w0 = fround(((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a);
  const w1 = fround(((a + 2) * x - (a + 3)) * x * x + 1);
  const w2 = fround(((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1);
  return [w0, w1, w2, fround(fround(fround(1 - w0) - w1) - w2)];
}

/** Weighted sums of a few neighbours, first along rows, then along columns. */
function separable<D extends Data>(
  picture: Picture<D>,
  width: number,
  height: number,
  taps: number,
  weigh: (rest: number) => number[],
): Picture<D> {
  if (width === picture.width && height === picture.height) return picture;
  const { channels, data } = picture;
  const made = like(picture, width, height);
  const isBytes = data instanceof Uint8Array;
  // Two taps of uint8: OpenCV works with integers, and drops bits on the way to stay within 32.
  const fixed = isBytes && taps === 2;
  const [columns, across] = neighbours(picture.width, width, taps, weigh, fixed, true);
  const [rows, down] = neighbours(picture.height, height, taps, weigh, fixed, false);
  const line = width * channels;
  const wide = new Float32Array(picture.height * line); // holds the integers exactly
  for (let y = 0; y < picture.height; y++) {
    const at = y * picture.width * channels;
    for (let x = 0, to = y * line; x < width; x++) {
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let k = x * taps; k < (x + 1) * taps; k++) sum += data[at + columns[k] * channels + c] * across[k];
        wide[to] = sum;
      }
    }
  }
  for (let y = 0, to = 0; y < height; y++) {
    for (let i = 0; i < line; i++, to++) {
      let sum = 0;
      for (let k = y * taps; k < (y + 1) * taps; k++) {
        const value = wide[rows[k] * line + i];
        sum += fixed ? ((value >> 4) * down[k]) >> 16 : value * down[k];
      }
      if (fixed) made.data[to] = (sum + 2) >> 2;
      else made.data[to] = isBytes ? toByte(fround(sum)) : sum;
    }
  }
  return made;
}

/** For each new entry of a line the old ones that it takes part of, and how much of each. */
function neighbours(
  from: number,
  to: number,
  taps: number,
  weigh: (rest: number) => number[],
  fixed: boolean,
  clamped: boolean,
): [Int32Array, Float64Array] {
  const scale = 1 / (to / from);
  const index = new Int32Array(to * taps);
  const weight = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const exact = fround((i + 0.5) * scale - 0.5);
    const at = Math.floor(exact);
    // Beyond the edge both taps are one entry: as one along rows, as two along columns.
    const beyond = clamped && taps === 2 && (at < 0 || at >= from - 1);
    const weights = weigh(beyond ? 0 : fround(exact - at));
    for (let k = 0; k < taps; k++) {
      index[i * taps + k] = Math.min(Math.max(at + k - taps / 2 + 1, 0), from - 1);
      weight[i * taps + k] = fixed ? rint(weights[k] * (1 << BITS)) : weights[k];
    }
  }
  return [index, weight];
}
