/** From a face in a photo to the canonical frame, and back; as the library's `faces/align.py`. */

import { type Box, type Bytes, bytes, crop, FACE_SIZE, isEmpty, like, type Picture } from "./image";
import { resizeArea } from "./resize";
import { apply, chain, invert, type Matrix, scaleOf, shifted, warp } from "./warp";

export type Point = [number, number];
/** Eyes, nose tip, mouth corners. */
export type Points = Point[];

export const CANONICAL_POINTS = [
  [99.7, 132.4],
  [155.6, 131.8],
  [127.1, 166.4],
  [103.6, 190.0],
  [151.2, 189.5],
].map((point) => point.map(Math.fround)) as Points;
const SCATTER = [3.2, 3.1, 8.7, 4.9, 4.9];
const TOLERANCE = 3;
const STEPS = 10;
const PROFILE = 2;

/** The turn, scale and shift that lead points to targets, robust to a wrong point. */
export function similarity(points: Points, targets: Points): Matrix {
  const base = SCATTER.map((s) => 1 / s ** 2);
  let weights = base;
  let [real, imaginary, x, y] = [1, 0, 0, 0];
  for (let step = 0; step < STEPS; step++) {
    const from = average(points, weights);
    const to = average(targets, weights);
    let [power, r, i] = [0, 0, 0];
    points.forEach(([px, py], k) => {
      const [a, b] = [px - from[0], py - from[1]];
      const [c, d] = [targets[k][0] - to[0], targets[k][1] - to[1]];
      power += weights[k] * (a * a + b * b);
      r += weights[k] * (a * c + b * d);
      i += weights[k] * (a * d - b * c);
    });
    real = r / Math.max(power, 1e-12);
    imaginary = i / Math.max(power, 1e-12);
    weights = points.map(([px, py], k) => {
      const [a, b] = [px - from[0], py - from[1]];
      const off = Math.hypot(
        real * a - imaginary * b - (targets[k][0] - to[0]),
        imaginary * a + real * b - (targets[k][1] - to[1]),
      );
      return base[k] / (1 + (off / (SCATTER[k] * TOLERANCE)) ** 2);
    });
    x = to[0] - (real * from[0] - imaginary * from[1]);
    y = to[1] - (imaginary * from[0] + real * from[1]);
  }
  return [real, -imaginary, x, imaginary, real, y];
}

function average(points: Points, weights: number[]): Point {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const along = (axis: 0 | 1): number => points.reduce((sum, p, k) => sum + weights[k] * p[axis], 0) / total;
  return [along(0), along(1)];
}

/** The map from the photo to the canonical frame. */
export function fit(points: Points): Matrix {
  return similarity(points, CANONICAL_POINTS);
}

/** How far a map from a frame to another moves its corners, in pixels, on average. */
export function cornerShift(matrix: Matrix): number {
  const off = [0, FACE_SIZE].flatMap((x) =>
    [0, FACE_SIZE].map((y) => {
      const there = apply(matrix, x, y);
      return Math.hypot(there[0] - x, there[1] - y);
    }),
  );
  return off.reduce((sum, v) => sum + v, 0) / off.length;
}

/** What the aligner says of a face, as a map to its better frame. */
export function correction([a, b, x, y]: Float32Array): Matrix {
  const middle = FACE_SIZE / 2;
  const [real, imaginary] = [1 + a / middle, b / middle];
  return [
    real,
    -imaginary,
    middle - (real * middle - imaginary * middle) + x,
    imaginary,
    real,
    middle - (imaginary * middle + real * middle) + y,
  ];
}

/** Whether a face is turned so far that one eye hides the other. */
export function seenFromSide(points: Points): boolean {
  const [left, right, , mouthLeft, mouthRight] = points;
  const down = [0, 1].map((axis) => (mouthLeft[axis] + mouthRight[axis] - left[axis] - right[axis]) / 2);
  return Math.hypot(...down) > PROFILE * Math.hypot(right[0] - left[0], right[1] - left[1]);
}

/** The part of a photo that the canonical frame covers. */
export function frameBox(matrix: Matrix, width: number, height: number): Box {
  const back = invert(matrix);
  const [low, high] = [-0.5, FACE_SIZE - 0.5];
  return around([[low, low], [high, low], [low, high], [high, high]].map(([x, y]) => apply(back, x, y)), width, height);
}

/** The whole pixels, and one more, that hold these points, within width x height. */
export function around(points: Point[], width: number, height: number): Box {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  return {
    left: within(Math.floor(Math.min(...xs)), width),
    top: within(Math.floor(Math.min(...ys)), height),
    right: within(Math.ceil(Math.max(...xs)) + 1, width),
    bottom: within(Math.ceil(Math.max(...ys)) + 1, height),
  };
}

/** Shrunk so that a warp need not, and the matrix for the smaller picture. */
export function shrink<D extends Uint8Array | Float32Array>(
  part: Picture<D>,
  matrix: Matrix,
  scale: number,
  resizer: (picture: Picture<D>, width: number, height: number) => Picture<D> = resizeArea,
): [Picture<D>, Matrix] {
  const width = Math.max(1, roundHalfEven(part.width * scale));
  const height = Math.max(1, roundHalfEven(part.height * scale));
  const [x, y] = [part.width / width, part.height / height];
  // Pixel centres lie at whole numbers for a warp, and half a pixel further for a resize.
  const larger: Matrix = [x, 0, (x - 1) / 2, 0, y, (y - 1) / 2];
  return [resizer(part, width, height), chain(matrix, larger)];
}

/** How much of each pixel of the canonical frame lies in a photo of this size, 0..255. */
export function shown(matrix: Matrix, width: number, height: number): Bytes {
  const { left, top, right, bottom } = frameBox(matrix, width, height);
  // The part alone: the whole photo may be large.
  const part = bytes(right - left, bottom - top, 1, 255);
  return warp(part, invert(shifted(matrix, left, top)), FACE_SIZE, FACE_SIZE);
}

/** The aligned face, 256x256; edges are continued. */
export function cut<D extends Uint8Array | Float32Array>(photo: Picture<D>, matrix: Matrix): Picture<D> {
  const box = frameBox(matrix, photo.width, photo.height);
  if (isEmpty(box)) return like(photo, FACE_SIZE, FACE_SIZE);
  let part = crop(photo, box);
  let moved = shifted(matrix, box.left, box.top);
  const scale = scaleOf(matrix);
  if (scale < 1) [part, moved] = shrink(part, moved, scale);
  return warp(part, invert(moved), FACE_SIZE, FACE_SIZE, { cubic: scale > 1, border: "replicate" });
}

/** Python's `round`. */
export function roundHalfEven(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 !== 0 ? near - 1 : near;
}
