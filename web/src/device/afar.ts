/** What a look from further away says of an occluder that reaches the lower edge of a face's frame;
 * as the library's `faces/afar.py`. */

import { components, grow, shrunk } from "./filter";
import { any, type Bytes, count, FACE_SIZE, where } from "./image";
import { invert, type Matrix, warp } from "./warp";

/** From a face's frame to one that shows as much again as a mask may hang below it. */
export const FAR: Matrix = [0.75, 0, 32, 0, 0.75, 0];
const HANGING = 16;
const FRAME_END = 192;
const DENIED_FROM = 5;
const BROAD = 4;
// A mask grows narrower below the chin; what is wider by more is a neck or a shirt.
const SPREAD = 8;

/** Whether what is hidden of a face goes on below its frame. */
export function reachesBelow(hidden: Bytes): boolean {
  return count({ ...hidden, data: hidden.data.subarray(-FACE_SIZE) }) >= HANGING;
}

/** What is hidden without its broad parts that are not seen from afar, if those are the less. */
export function agreed(hidden: Bytes, afar: Bytes): Bytes {
  const near = warp(afar, FAR, FACE_SIZE, FACE_SIZE);
  const close = grow(where(near, (value) => value > 0), DENIED_FROM);
  const denied = shrunk(
    where(hidden, (value, p) => value > 0 && !close.data[p]),
    BROAD,
  );
  const wide = grow(denied, BROAD);
  const left = touching(
    where(hidden, (value, p) => value > 0 && !wide.data[p]),
    near,
  );
  return any(denied) && 2 * count(left) > count(hidden) ? left : hidden;
}

/** What of a face's occluder hangs below its frame, seen from FAR; null: nothing. */
export function below(hidden: Bytes, afar: Bytes, inside: Bytes): Bytes | null {
  const first = (FRAME_END - 2) * FACE_SIZE;
  const above = warp(hidden, invert(FAR), FACE_SIZE, FACE_SIZE);
  const edge = grow(
    where(above, (value, p) => value > 0 && p >= first && p < first + 2 * FACE_SIZE),
    SPREAD,
  );
  const found = touching(
    where(
      afar,
      (value, p) => value > 0 && p >= first && edge.data[first + (p % FACE_SIZE)] > 0,
    ),
    above,
  );
  const seen = where(found, (value, p) => value > 0 && inside.data[p] > 0);
  // An arm or a scarf goes on: to take away some of it would be worse than to leave it.
  return any({ ...seen, data: seen.data.subarray(-FACE_SIZE) }) || !any(seen) ? null : found;
}

/** The parts of a mask that share a pixel with another. */
function touching(mask: Bytes, other: Bytes): Bytes {
  const [parts] = components(mask);
  const shared = new Set<number>();
  parts.forEach((part, p) => {
    if (part && other.data[p]) shared.add(part);
  });
  return where(mask, (_, p) => shared.has(parts[p]));
}
