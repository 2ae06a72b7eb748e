/** Neighbourhoods: growing masks, connected parts, pyramids, blurs. */

import { bytes, type Bytes, floats, type Floats, like, rint, where } from "./image";

/** Hides `pixels` more on every side of what is hidden: a square neighbourhood. */
export function grow(mask: Bytes, pixels: number): Bytes {
  return pixels ? spread(spread(mask, pixels, 1, mask.width), pixels, mask.width, mask.height) : mask;
}

/** A mask less `pixels` on every side of it; the opposite of `grow`. */
export function shrunk(mask: Bytes, pixels: number): Bytes {
  const rest = grow(where(mask, (value) => !value), pixels);
  return where(rest, (value) => !value);
}

/** The largest value within reach along one axis. */
function spread(mask: Bytes, reach: number, step: number, length: number): Bytes {
  const made = bytes(mask.width, mask.height);
  const { data } = mask;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!value) continue;
    const place = Math.floor(i / step) % length;
    const first = Math.max(-reach, -place);
    const last = Math.min(reach, length - 1 - place);
    for (let k = first; k <= last; k++) {
      const at = i + k * step;
      if (made.data[at] < value) made.data[at] = value;
    }
  }
  return made;
}

/**
 * Numbers the connected parts of a mask from 1; 0 outside. And how many. Pixels have eight neighbours,
 * or four.
 */
export function components(mask: Bytes, neighbours: 4 | 8 = 8): [Int32Array, number] {
  const { width, height, data } = mask;
  const labels = new Int32Array(data.length);
  const stack: number[] = [];
  let last = 0;
  for (let i = 0; i < data.length; i++) {
    if (!data[i] || labels[i]) continue;
    labels[i] = ++last;
    stack.push(i);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          if (neighbours === 4 && nx !== x && ny !== y) continue;
          const near = ny * width + nx;
          if (!data[near] || labels[near]) continue;
          labels[near] = last;
          stack.push(near);
        }
      }
    }
  }
  return [labels, last];
}

const KERNEL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16];

/** The index that lies beyond an edge, mirrored without the edge itself. */
function mirror(i: number, length: number): number {
  if (length === 1) return 0;
  let at = i;
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
  return at;
}

/** Half the size, after a small blur (Burt and Adelson, 1983). */
export function pyrDown(plane: Floats): Floats {
  const { channels, width, height, data } = plane;
  const wide = (width + 1) >> 1;
  const tall = (height + 1) >> 1;
  const rows = floats(wide, height, channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < wide; x++) {
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let k = 0; k < 5; k++) sum += KERNEL[k] * data[(y * width + mirror(2 * x + k - 2, width)) * channels + c];
        rows.data[to] = sum;
      }
    }
  }
  const made = floats(wide, tall, channels);
  const line = wide * channels;
  for (let y = 0; y < tall; y++) {
    for (let k = 0; k < 5; k++) {
      const from = mirror(2 * y + k - 2, height) * line;
      for (let i = 0; i < line; i++) made.data[y * line + i] += KERNEL[k] * rows.data[from + i];
    }
  }
  return made;
}

/** Twice the size, give or take one, with the same blur. */
export function pyrUp(plane: Floats, width: number, height: number): Floats {
  const { channels } = plane;
  const rows = floats(width, plane.height, channels);
  enlarge(plane.data, rows.data, plane.height, plane.width, width, plane.width * channels, channels, width * channels, channels, channels);
  const made = floats(width, height, channels);
  const line = width * channels;
  enlarge(rows.data, made.data, 1, plane.height, height, 0, line, 0, line, line);
  return made;
}

/** `lines` lines of `from` entries, each of `block` numbers, to lines of `to` entries. */
function enlarge(
  source: Float32Array,
  target: Float32Array,
  lines: number,
  from: number,
  to: number,
  sourceLine: number,
  sourceStep: number,
  targetLine: number,
  targetStep: number,
  block: number,
): void {
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < to; i++) {
      const middle = i >> 1;
      const before = Math.abs(middle - 1) < from ? Math.abs(middle - 1) : 0;
      const after = Math.min(middle + 1, from - 1); // OpenCV repeats the last one here
      for (let b = 0; b < block; b++) {
        const at = (k: number): number => source[line * sourceLine + k * sourceStep + b];
        const value = i % 2 ? (at(middle) + at(after)) / 2 : (at(before) + 6 * at(middle) + at(after)) / 8;
        target[line * targetLine + i * targetStep + b] = value;
      }
    }
  }
}

/** A Gaussian blur, the edges continued, with as many weights as OpenCV takes for float32. */
export function blurred(plane: Floats, deviation: number): Floats {
  const { width, height, channels, data } = plane;
  const reach = (rint(8 * deviation + 1) | 1) >> 1;
  const bell = Array.from({ length: reach + 1 }, (_, k) => Math.exp(-(k ** 2) / (2 * deviation ** 2)));
  const sum = bell.reduce((total, value, k) => total + (k ? 2 : 1) * value, 0);
  const weights = Float32Array.from(bell, (value) => value / sum);
  const line = width * channels;
  const wide = new Float32Array(line + 2 * reach * channels);
  const rows = new Float32Array((height + 2 * reach) * line);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * line, (y + 1) * line);
    wide.set(row, reach * channels);
    for (let k = 0; k < reach; k++) {
      for (let c = 0; c < channels; c++) {
        wide[k * channels + c] = row[c];
        wide[(reach + width + k) * channels + c] = row[line - channels + c];
      }
    }
    weigh(wide, rows.subarray((y + reach) * line, (y + reach + 1) * line), channels, weights);
  }
  for (let y = 0; y < reach; y++) {
    rows.copyWithin(y * line, reach * line, (reach + 1) * line);
    rows.copyWithin((height + reach + y) * line, (height + reach - 1) * line, (height + reach) * line);
  }
  const made = like(plane, width, height);
  weigh(rows, made.data, line, weights);
  return made;
}

/** Sums of each entry and those on both sides of it, `step` apart; the weights from the middle outwards. */
function weigh(source: Float32Array, sums: Float32Array, step: number, weights: Float32Array): void {
  const reach = weights.length - 1;
  // Two at a time, of which neither waits for the other; what is beyond the end is not kept.
  for (let i = 0; i < sums.length; i += 2) {
    const middle = i + reach * step;
    let sum = weights[0] * source[middle];
    let next = weights[0] * source[middle + 1];
    for (let k = 1, before = middle - step, after = middle + step; k <= reach; k++, before -= step, after += step) {
      sum += weights[k] * (source[before] + source[after]);
      next += weights[k] * (source[before + 1] + source[after + 1]);
    }
    sums[i] = sum;
    sums[i + 1] = next;
  }
}

export interface Slope {
  /** Change a pixel, to the right and downwards. */
  right: Floats;
  down: Floats;
  /** Of both together. */
  steep: Floats;
}

/** By Sobel, the edges continued; of one channel. */
export function slopeOf(plane: Floats): Slope {
  const { width, height, data } = plane;
  const [right, down, steep] = [floats(width, height), floats(width, height), floats(width, height)];
  for (let y = 0, p = 0; y < height; y++) {
    const [above, below] = [y > 0 ? -width : 0, y < height - 1 ? width : 0];
    for (let x = 0; x < width; x++, p++) {
      const [before, after] = [x > 0 ? -1 : 0, x < width - 1 ? 1 : 0];
      const across = (row: number): number => data[p + row + after] - data[p + row + before];
      const along = (column: number): number => data[p + below + column] - data[p + above + column];
      right.data[p] = (across(above) + 2 * across(0) + across(below)) / 8;
      down.data[p] = (along(before) + 2 * along(0) + along(after)) / 8;
      steep.data[p] = Math.sqrt(right.data[p] ** 2 + down.data[p] ** 2);
    }
  }
  return { right, down, steep };
}
