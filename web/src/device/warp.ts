/** Affine warps with OpenCV's arithmetic, and the matrices for them.
 *
 * A matrix is [a, b, c, d, e, f]: x' = a x + b y + c, y' = d x + e y + f.
 */

import { like, type Picture, toByte } from "./image";
import { cubicWeights } from "./resize";

export type Matrix = readonly [number, number, number, number, number, number];

type Data = Uint8Array | Float32Array;
const { fround } = Math;

export interface Warp {
  cubic?: boolean;
  /** What lies beyond the edge: a colour, or the pixels of the edge. */
  border?: readonly number[] | "replicate";
}

export function invert(m: Matrix): Matrix {
  const d = m[0] * m[4] - m[1] * m[3];
  const share = d === 0 ? 0 : 1 / d;
  const [a, b, e, f] = [m[4] * share, -m[1] * share, -m[3] * share, m[0] * share];
  return [a, b, -a * m[2] - b * m[5], e, f, -e * m[2] - f * m[5]];
}

/** First `inner`, then `outer`. */
export function chain(outer: Matrix, inner: Matrix): Matrix {
  const [a, b, c, d, e, f] = outer;
  const [g, h, i, j, k, l] = inner;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

export function apply(m: Matrix, x: number, y: number): [number, number] {
  return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]];
}

/** The matrix for coordinates counted from (left, top). */
export function shifted(m: Matrix, left: number, top: number): Matrix {
  return [m[0], m[1], m[2] + m[0] * left + m[1] * top, m[3], m[4], m[5] + m[3] * left + m[4] * top];
}

/** New pixels to an old one. */
export function scaleOf(m: Matrix): number {
  return Math.hypot(m[0], m[3]);
}

/** A picture of width x height whose pixel (x, y) is the old picture at `back` of it. */
export function warp<D extends Data>(
  picture: Picture<D>,
  back: Matrix,
  width: number,
  height: number,
  how: Warp = {},
): Picture<D> {
  return how.cubic ? warpCubic(picture, back, width, height, how) : warpLinear(picture, back, width, height, how);
}

function borderOf(picture: Picture<Data>, how: Warp): Uint8Array | null {
  const { border = [] } = how;
  if (border === "replicate") return null;
  return Uint8Array.from({ length: picture.channels }, (_, c) => border[c] ?? 0);
}

function warpLinear<D extends Data>(
  picture: Picture<D>,
  back: Matrix,
  width: number,
  height: number,
  how: Warp,
): Picture<D> {
  const made = like(picture, width, height);
  const border = borderOf(picture, how);
  const stepX = fround(back[0]);
  const stepY = fround(back[3]);
  for (let y = 0, to = 0; y < height; y++) {
    const startX = fround(y * back[1] + back[2]);
    const startY = fround(y * back[4] + back[5]);
    for (let x = 0; x < width; x++, to += picture.channels) {
      // float32 with one rounding for multiply and add, as the processor's instruction has it
      takeLinear(picture, fround(stepX * x + startX), fround(stepY * x + startY), border, made, to);
    }
  }
  return made;
}

const corners = [0, 0, 0, 0];

/** Puts what lies at (x, y), float32, into the data of `made` at `to`; no border: the edges are continued. */
export function takeLinear(
  picture: Picture<Data>,
  x: number,
  y: number,
  border: Uint8Array | null,
  made: Picture<Data>,
  to: number,
): void {
  const { channels, data, width, height } = picture;
  const isBytes = data instanceof Uint8Array;
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = fround(x - ix);
  const fy = fround(y - iy);
  for (let k = 0; k < 4; k++) corners[k] = offset(ix + (k & 1), iy + (k >> 1), width, height, channels, border);
  const [at0, at1, at2, at3] = corners;
  for (let c = 0; c < channels; c++) {
    const p0 = at0 < 0 ? (border as Uint8Array)[c] : data[at0 + c];
    const p1 = at1 < 0 ? (border as Uint8Array)[c] : data[at1 + c];
    const p2 = at2 < 0 ? (border as Uint8Array)[c] : data[at2 + c];
    const p3 = at3 < 0 ? (border as Uint8Array)[c] : data[at3 + c];
    const above = fround(p0 + fx * (p1 - p0));
    const below = fround(p2 + fx * (p3 - p2));
    const value = fround(above + fy * fround(below - above));
    made.data[to + c] = isBytes ? toByte(value) : value;
  }
}

/** Where a pixel lies in the data; -1 beyond the edge of a picture with a border's colour. */
function offset(
  x: number,
  y: number,
  columns: number,
  rows: number,
  channels: number,
  border: Uint8Array | null,
): number {
  if (x >= 0 && x < columns && y >= 0 && y < rows) return (y * columns + x) * channels;
  if (border) return -1;
  const nearX = Math.min(Math.max(x, 0), columns - 1);
  const nearY = Math.min(Math.max(y, 0), rows - 1);
  return (nearY * columns + nearX) * channels;
}

function warpCubic<D extends Data>(
  picture: Picture<D>,
  back: Matrix,
  width: number,
  height: number,
  how: Warp,
): Picture<D> {
  const { channels, data, width: columns, height: rows } = picture;
  const made = like(picture, width, height);
  const isBytes = data instanceof Uint8Array;
  const border = borderOf(picture, how);
  const stepX = fround(back[0]);
  const stepY = fround(back[3]);
  const at = new Int32Array(16);
  const share = new Float64Array(16);
  for (let y = 0, to = 0; y < height; y++) {
    const startX = fround(y * back[1] + back[2]);
    const startY = fround(y * back[4] + back[5]);
    for (let x = 0; x < width; x++, to += channels) {
      const fx = fround(stepX * x + startX);
      const fy = fround(stepY * x + startY);
      const ix = Math.floor(fx);
      const iy = Math.floor(fy);
      const across = cubicWeights(fround(fx - ix));
      const down = cubicWeights(fround(fy - iy));
      for (let k = 0; k < 16; k++) {
        share[k] = across[k & 3] * down[k >> 2];
        at[k] = offset(ix + (k & 3) - 1, iy + (k >> 2) - 1, columns, rows, channels, border);
      }
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < 16; k++) sum += (at[k] < 0 ? (border as Uint8Array)[c] : data[at[k] + c]) * share[k];
        made.data[to + c] = isBytes ? toByte(sum) : sum;
      }
    }
  }
  return made;
}
