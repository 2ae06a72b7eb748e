/** What of a found occluder mask is taken for hidden; as the library's `faces/hidden.py`. */

import { components, grow, shrunk } from "./filter";
import { type Bytes, type Floats, LUMA, where } from "./image";

const FOUND_THRESHOLD = 0.5;
const SURE = Math.fround(0.85);
const SURE_SHARE = 0.15;
const ON_HEAD = 20;
const HOLE = 400;
const FOUND_MARGIN = 3;
const FAINT = 0.25;
const STRAP_LENGTH = 6;
const STRAP_WIDTH = 9;
const GAP = 2;
/** Where the face lies in its frame: first and last row, first and last column. */
const INSIDE = [40, 216, 56, 200];
const LEAST_STEP = 0.8;
const LEAST_SHARE = 0.04;

/** What of an occluder mask in [0, 1] is taken for hidden, and a margin. */
export function hiddenPart(occluder: Floats): Bytes {
  const found = where(occluder, (value) => value > FOUND_THRESHOLD);
  const [parts, last] = components(found);
  const sizes = new Int32Array(last + 1);
  const sure = new Int32Array(last + 1);
  parts.forEach((part, p) => {
    sizes[part]++;
    if (occluder.data[p] >= SURE) sure[part]++;
  });
  const kept = where(found, () => false);
  parts.forEach((part, p) => {
    kept.data[p] = part && sure[part] >= SURE_SHARE * sizes[part] ? 1 : 0;
  });
  let onHead = 0;
  kept.data.forEach((value, p) => {
    if (value && occluder.data[p] >= SURE && isHead(p % kept.width, Math.floor(p / kept.width))) onHead++;
  });
  if (onHead < ON_HEAD) kept.data.fill(0);
  const hidden = grow(closed(kept), FOUND_MARGIN);
  const loops = grow(straps(occluder, hidden), FOUND_MARGIN);
  return where(hidden, (value, p) => value > 0 || loops.data[p] > 0);
}

/** What is thin and faintly found and hangs on what is hidden, without a margin. */
function straps(occluder: Floats, hidden: Bytes): Bytes {
  const faint = where(occluder, (value, p) => value > FAINT && !hidden.data[p]);
  const solid = shrunk(grow(faint, GAP), GAP);
  const half = Math.floor(STRAP_WIDTH / 2);
  const thick = grow(shrunk(solid, half), half);
  const thin = where(faint, (value, p) => value > 0 && !thick.data[p]);
  const beside = grow(hidden, 1);
  const [parts, last] = components(thin);
  const hangs = new Uint8Array(last + 1);
  const [left, top] = [new Int32Array(last + 1).fill(thin.width), new Int32Array(last + 1).fill(thin.height)];
  const [right, bottom] = [new Int32Array(last + 1).fill(-1), new Int32Array(last + 1).fill(-1)];
  parts.forEach((part, p) => {
    const [x, y] = [p % thin.width, Math.floor(p / thin.width)];
    left[part] = Math.min(left[part], x);
    right[part] = Math.max(right[part], x);
    top[part] = Math.min(top[part], y);
    bottom[part] = Math.max(bottom[part], y);
    if (beside.data[p]) hangs[part] = 1;
  });
  parts.forEach((part, p) => {
    const length = Math.max(right[part] - left[part], bottom[part] - top[part]) + 1;
    thin.data[p] = part && hangs[part] && length >= STRAP_LENGTH ? 1 : 0;
  });
  return thin;
}

/** Whether a pixel of the aligned frame lies on the head or its hair. */
function isHead(x: number, y: number): boolean {
  return ((x - 128) / 76) ** 2 + ((y - 128) / 114) ** 2 <= 1;
}

/** A mask without its small holes. */
function closed(mask: Bytes): Bytes {
  const [parts, last] = components(where(mask, (value) => !value), 4);
  const sizes = new Int32Array(last + 1);
  parts.forEach((part) => sizes[part]++);
  const made = where(mask, (value) => value > 0);
  parts.forEach((part, p) => {
    if (part && sizes[part] < HOLE) made.data[p] = 1;
  });
  return made;
}

/** Whether an aligned face is a mere blur: what is invented would be all that is sharp in it. */
export function outOfFocus(face: Bytes): boolean {
  const [top, bottom, left, right] = INSIDE;
  const luma = (y: number, x: number): number =>
    LUMA.reduce((sum, share, c) => sum + share * face.data[3 * (y * face.width + x) + c], 0);
  let [sum, squares, across, down] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const value = luma(y, x);
      sum += value;
      squares += value * value;
      if (x + 1 < right) across += Math.abs(luma(y, x + 1) - value);
      if (y + 1 < bottom) down += Math.abs(luma(y + 1, x) - value);
    }
  }
  const [rows, columns] = [bottom - top, right - left];
  const step = (across / (rows * (columns - 1)) + down / ((rows - 1) * columns)) / 2;
  const deviation = Math.sqrt(Math.max(squares / (rows * columns) - (sum / (rows * columns)) ** 2, 0));
  return step < LEAST_STEP && step < LEAST_SHARE * deviation;
}
