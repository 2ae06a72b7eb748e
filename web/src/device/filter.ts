/** Neighbourhoods: growing masks, connected parts, pyramids. */

import { bytes, type Bytes, floats, type Floats, where } from "./image";

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
