/** Gives a face a clear contour where it was invented before something plain; as the library's `faces/contour.py`. */

import { blurred, type Slope, slopeOf } from "./filter";
import { median } from "./grain";
import { bounds, type Bytes, copy, crop, type Floats, floats, rint } from "./image";
import { takeLinear } from "./warp";

// Lengths are pixels of an aligned face; colours 0..255 steps, a channel; of two numbers, what is
// below the first counts for nothing, and what is above the second for all there is, or the reverse.

/** What is finer than this is no haze; both sides of an edge are looked at so far away from it. */
const SOFTNESS = 4;
const BESIDE = 12;
/** How much the two sides must differ. */
const STEP = [30, 45];
/** A ray goes so far for a known pixel, in strides; the background is judged so far behind it. */
const LONGEST = 72;
const STRIDE = 3;
const BEHIND = 5;
/** How uneven a background may be, how far off the edge's outer side, in steps, and how far off the face it must be. */
const UNEVEN = [2.5, 7];
const DIFFERENT = [0.3, 0.5];
const FOREIGN = [45, 65];
/** The face's own colour is read off every third pixel of its middle. */
const MIDDLE = { top: 100, bottom: 190, left: 96, right: 160, step: 3 };
/** A pixel is taken from so far away at most, and the less the nearer it is to the edge. */
const REACH = 10;
const TURN = 0.15;
/** More than anything of the above looks beyond what is hidden. */
const MARGIN = 32;

const { fround } = Math;

/** The face with a clear contour before a plain background, equal to it in every known pixel. */
export function sharpenContour(face: Bytes, hidden: Bytes): Bytes {
  const made = copy(face);
  const tight = bounds(hidden);
  if (!tight) return made;
  const box = {
    left: Math.max(0, tight.left - MARGIN),
    top: Math.max(0, tight.top - MARGIN),
    right: Math.min(face.width, tight.right + MARGIN),
    bottom: Math.min(face.height, tight.bottom + MARGIN),
  };
  const drawn = drawnTogether(crop(face, box), crop(hidden, box), ownColour(face));
  const row = 3 * drawn.width;
  for (let y = 0; y < drawn.height; y++) {
    made.data.set(drawn.data.subarray(y * row, (y + 1) * row), 3 * ((box.top + y) * face.width + box.left));
  }
  return made;
}

/** The median of each channel in the middle of a face. */
function ownColour(face: Bytes): number[] {
  const { top, bottom, left, right, step } = MIDDLE;
  return [0, 1, 2].map((c) => {
    const values: number[] = [];
    for (let y = top; y < bottom; y += step) {
      for (let x = left; x < right; x += step) values.push(face.data[3 * (y * face.width + x) + c]);
    }
    return median(Float32Array.from(values));
  });
}

/** `sharpenContour` of a part of a face of a known colour. */
function drawnTogether(face: Bytes, hidden: Bytes, own: number[]): Bytes {
  const soft = blurred({ ...face, data: Float32Array.from(face.data) }, SOFTNESS);
  const slope = slopeOf(grey(soft));
  const sure = beforePlain(face, soft, hidden, slope, own);
  if (!sure) return face;
  const weight = blurred(sure, 2.5);
  const inside = blurred({ ...hidden, data: Float32Array.from(hidden.data, (value) => (value ? 1 : 0)) }, 3);
  const hill = blurred(slope.steep, 1.5); // highest on the edge, so that its slope leads away from there
  const { right, down, steep } = slopeOf(hill);
  const made = copy(face);
  for (let y = 0, p = 0; y < face.height; y++) {
    for (let x = 0; x < face.width; x++, p++) {
      const share = weight.data[p] * Math.min(Math.max(2 * inside.data[p] - 1, 0), 1);
      if (!hidden.data[p] || !share) continue;
      const fall = Math.max(steep.data[p], 1e-6);
      const far = (-REACH * share * Math.tanh(fall / Math.max(hill.data[p], 0.3) / TURN)) / fall;
      takeLinear(face, fround(x + far * right.data[p]), fround(y + far * down.data[p]), null, made, 3 * p);
    }
  }
  return made;
}

/** How surely each pixel lies between the face and a background that is known and plain; null: none does. */
function beforePlain(face: Bytes, soft: Floats, hidden: Bytes, slope: Slope, own: number[]): Floats | null {
  const { width, height } = face;
  const sure = floats(width, height);
  let uneven: Floats | null = null;
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const steep = slope.steep.data[p];
      if (!hidden.data[p] || steep <= 1) continue;
      const right = fround(slope.right.data[p] / steep);
      const down = fround(slope.down.data[p] / steep);
      /** The nearest pixel so far up the slope, within the image. */
      const at = (distance: number): number => {
        const row = Math.min(Math.max(rint(y + distance * down), 0), height - 1);
        return row * width + Math.min(Math.max(rint(x + distance * right), 0), width - 1);
      };
      const [inner, outer] = [at(BESIDE), at(-BESIDE)];
      const step = apart(soft.data, inner, soft.data, outer);
      if (step <= STEP[0]) continue;
      uneven ??= unevenness(face);
      let likely = 0;
      for (let sign = 1; sign >= -1; sign -= 2) {
        let reached = STRIDE;
        while (reached < LONGEST && hidden.data[at(sign * reached)]) reached += STRIDE;
        if (reached >= LONGEST) continue;
        const there = at(sign * (reached + BEHIND));
        const off = apart(soft.data, there, soft.data, sign > 0 ? inner : outer);
        const plain =
          (1 - ramp(uneven.data[there], UNEVEN)) *
          (1 - ramp(off / step, DIFFERENT)) *
          ramp(apart(soft.data, there, own, 0), FOREIGN);
        likely = Math.max(likely, plain);
      }
      sure.data[p] = likely * ramp(step, STEP) * Math.min(steep - 1, 1);
    }
  }
  return sure.data.some(Boolean) ? sure : null;
}

/** How far the brightness around each pixel strays. */
function unevenness(face: Bytes): Floats {
  const plane = grey(face);
  const mean = blurred(plane, 3);
  const spread = blurred({ ...plane, data: plane.data.map((value) => value ** 2) }, 3);
  return { ...plane, data: spread.data.map((value, p) => Math.sqrt(Math.max(value - fround(mean.data[p] ** 2), 0))) };
}

/** The mean of the channels. */
function grey({ width, height, data }: Bytes | Floats): Floats {
  const plane = floats(width, height);
  for (let p = 0, i = 0; p < plane.data.length; p++, i += 3) plane.data[p] = (data[i] + data[i + 1] + data[i + 2]) / 3;
  return plane;
}

/** Root of the mean squared difference between two pixels. */
function apart(a: ArrayLike<number>, place: number, b: ArrayLike<number>, other: number): number {
  let sum = 0;
  for (let c = 0; c < 3; c++) sum += (a[3 * place + c] - b[3 * other + c]) ** 2;
  return Math.sqrt(sum / 3);
}

/** 0 below the first end, 1 above the second, linear between them. */
function ramp(x: number, ends: number[]): number {
  return Math.min(Math.max((x - ends[0]) / (ends[1] - ends[0]), 0), 1);
}
