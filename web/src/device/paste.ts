/** Puts restored faces back into their photo; as the library's `faces/paste.py`. */

import { CANONICAL_POINTS, frameBox, roundHalfEven } from "./align";
import { fading } from "./fade";
import { components, grow } from "./filter";
import { grain, onGrid } from "./grain";
import { any, type Box, bounds, bytes, type Bytes, crop, FACE_SIZE, hasColours, isEmpty, removeColours, where } from "./image";
import { resizeArea } from "./resize";
import { chain, invert, type Matrix, scaleOf, shifted, warp } from "./warp";

const HEAD = { x: 128, y: 150, across: 62, down: 80 };
const MIDDLE = [0, 1].map((axis) => CANONICAL_POINTS.reduce((sum, p) => sum + p[axis], 0) / CANONICAL_POINTS.length);
const MOSTLY = 0.6;
const WHOLE = 250; // of 255: from here on a fill shows nothing of the photo
const FREE = -1;
const CONTESTED = -2;

/** One face to put back: where it lies, how it is filled, and what of it is invented. */
export interface Patch {
  matrix: Matrix;
  filled: Bytes;
  hidden: Bytes;
  /** What hides the face below the frame is another patch's to fill. */
  goesOn: boolean;
}

/** The photo with all faces put back, and the mask of what is invented in it.
 *
 * With a mask, only its pixels are invented; without, those that the faces say. What is not `seen` gets
 * no grain and no soft ends.
 */
export function paste(photo: Bytes, patches: Patch[], mask: Bytes | null, seen = true): [Bytes, Bytes] {
  const restored = { ...photo, data: photo.data.slice() };
  const invented = bytes(photo.width, photo.height);
  const { width, height } = photo;
  const places = patches.map((patch) => onGrid(frameBox(patch.matrix, width, height), width, height));
  const maps = patches.map((patch, i) => shifted(patch.matrix, places[i].left, places[i].top));
  const claims = patches.map((patch, i) => claim(patch.hidden, maps[i], places[i], mask));
  const fades = patches.map((patch) => (seen ? fading(patch.hidden, patch.matrix, width, height, !patch.goesOn) : null));
  if (patches.length > 1) {
    const weak = claims.map((ours, i) => faded(fades[i], maps[i], ours));
    shareOut(claims, weak, patches, places, photo.width, photo.height);
  }
  patches.forEach((patch, i) => {
    const tight = bounds(claims[i]);
    if (!tight) return;
    const close = onGrid(tight, claims[i].width, claims[i].height);
    const scale = scaleOf(maps[i]);
    const ours = crop(claims[i], close);
    const here = shifted(maps[i], close.left, close.top);
    let fill = back(patch.filled, here, ours.width, ours.height);
    const [left, top] = [places[i].left + close.left, places[i].top + close.top];
    if (seen) fill = grain(crop(photo, places[i]), skinOf(claims[i], maps[i]), fill, ours, scale, left, top);
    const fade = fades[i];
    const share = fade && back(fade, here, ours.width, ours.height);
    for (let y = 0, from = 0; y < ours.height; y++) {
      let to = (top + y) * width + left;
      for (let x = 0; x < ours.width; x++, from++, to++) {
        if (!ours.data[from]) continue;
        invented.data[to] = 1;
        const weight = share ? share.data[from] : 255;
        for (let c = 0; c < 3; c++) {
          const mixed = weight * fill.data[3 * from + c] + (255 - weight) * restored.data[3 * to + c];
          restored.data[3 * to + c] = Math.floor((mixed + 127) / 255);
        }
      }
    }
  });
  // A photo without colours gets none.
  if (patches.length && !patches.some(({ filled, hidden }) => hasColours(filled, hidden))) removeColours(restored, invented);
  return [restored, invented];
}

/** What a face wants to invent in its part of the photo. */
function claim(hidden: Bytes, matrix: Matrix, place: Box, mask: Bytes | null): Bytes {
  const [width, height] = sizeOf(place);
  if (isEmpty(place) || !any(hidden)) return bytes(width, height);
  const values = { ...hidden, data: hidden.data.map((value) => (value ? 255 : 0)) };
  if (!mask) return where(back(values, matrix, width, height), (value) => value > 127);
  const reached = back(grow(values, 1), matrix, width, height);
  const asked = crop(mask, place);
  for (let i = 0; i < asked.data.length; i++) asked.data[i] = asked.data[i] && reached.data[i] ? 1 : 0;
  return asked;
}

function sizeOf(place: Box): [number, number] {
  return [Math.max(0, place.right - place.left), Math.max(0, place.bottom - place.top)];
}

/** A 256x256 picture in the frame of the photo; zero (of a mask) or continued (of a face) outside. */
function back(image: Bytes, matrix: Matrix, width: number, height: number): Bytes {
  const scale = scaleOf(matrix);
  let [small, map] = [image, matrix];
  if (scale > 1) {
    const side = Math.max(1, roundHalfEven(FACE_SIZE / scale));
    const factor = side / FACE_SIZE;
    small = resizeArea(image, side, side);
    map = chain([factor, 0, (factor - 1) / 2, 0, factor, (factor - 1) / 2], matrix);
  }
  const face = image.channels === 3;
  return warp(small, map, width, height, { cubic: face, border: face ? "replicate" : [0] });
}

/** Where in its part of the photo a face's fill ends softly: the photo shows through. */
function faded(fade: Bytes | null, matrix: Matrix, claim: Bytes): Bytes {
  if (!fade || !claim.data.length) return bytes(claim.width, claim.height);
  return where(back(fade, matrix, claim.width, claim.height), (value) => value < WHOLE);
}

/** Leaves each pixel to one face, in place.
 *
 * A pixel is the face's whose middle is nearest; but a hidden part of which most is one face's is all
 * that face's, but for what of it another face shows, or fills where this one's fill is weak.
 */
function shareOut(claims: Bytes[], weak: Bytes[], patches: Patch[], places: Box[], width: number, height: number): void {
  const taken = new Int16Array(width * height).fill(FREE);
  const largest = new Int32Array(width * height);
  const at = (place: Box, x: number, y: number): number => (place.top + y) * width + place.left + x;
  const nearest = claims.map((ours, i) => {
    const here = patches.map((patch) => shifted(patch.matrix, places[i].left, places[i].top));
    if (!any(ours)) return ours;
    const own = ownPixels(here, i, ours.width, ours.height);
    if (own.data.every((value, p) => value || !ours.data[p])) return own;
    const [labels, parts] = components(ours);
    const sizes = new Int32Array(parts + 1);
    const owned = new Int32Array(parts + 1);
    labels.forEach((label, p) => {
      sizes[label]++;
      if (own.data[p]) owned[label]++;
    });
    const mine = where(ours, () => false);
    labels.forEach((label, p) => {
      mine.data[p] = label && owned[label] / sizes[label] >= MOSTLY ? 1 : 0;
    });
    here.forEach((other, j) => {
      if (j === i) return;
      const head = headOf(other, ours.width, ours.height);
      const there = seenFrom(claims[j], places[j], places[i]);
      mine.data.forEach((value, p) => {
        const theirs = there.data[p] ? weak[i].data[p] : head.data[p];
        if (value && !own.data[p] && theirs) mine.data[p] = 0;
      });
    });
    // Of two that want it whole, the one that sees more of it: the other's frame cuts it.
    for (let y = 0, p = 0; y < ours.height; y++) {
      for (let x = 0; x < ours.width; x++, p++) {
        if (!mine.data[p]) continue;
        const to = at(places[i], x, y);
        const size = sizes[labels[p]];
        if (size === largest[to]) taken[to] = CONTESTED;
        if (size > largest[to]) {
          taken[to] = i;
          largest[to] = size;
        }
      }
    }
    return own;
  });
  claims.forEach((ours, i) => {
    for (let y = 0, p = 0; y < ours.height; y++) {
      for (let x = 0; x < ours.width; x++, p++) {
        const owner = taken[at(places[i], x, y)];
        if (owner !== i && !(owner < 0 && nearest[i].data[p])) ours.data[p] = 0;
      }
    }
  });
}

/** A mask of one part of the photo in the frame of another; 0 beyond the first. */
function seenFrom(mask: Bytes, place: Box, other: Box): Bytes {
  const made = bytes(...sizeOf(other));
  for (let y = Math.max(place.top, other.top); y < Math.min(place.bottom, other.bottom); y++) {
    for (let x = Math.max(place.left, other.left); x < Math.min(place.right, other.right); x++) {
      made.data[(y - other.top) * made.width + x - other.left] =
        mask.data[(y - place.top) * mask.width + x - place.left];
    }
  }
  return made;
}

/** The pixels of which no other face's frame has the middle nearer. */
function ownPixels(matrices: Matrix[], i: number, width: number, height: number): Bytes {
  const own = bytes(width, height, 1, 1);
  const mine = distances(matrices[i], width, height);
  const frame = bytes(FACE_SIZE, FACE_SIZE, 1, 255);
  matrices.forEach((other, j) => {
    if (j === i) return;
    const inside = back(frame, other, width, height);
    if (!any(inside)) return;
    const theirs = distances(other, width, height);
    for (let p = 0; p < own.data.length; p++) if (inside.data[p] && mine[p] > theirs[p]) own.data[p] = 0;
  });
  return own;
}

/** Squared distance of each pixel from a face's middle, in canonical pixels. */
function distances(matrix: Matrix, width: number, height: number): Float32Array {
  const scale = Math.fround(scaleOf(matrix));
  const there = invert(matrix);
  const x0 = Math.fround(there[0] * MIDDLE[0] + there[1] * MIDDLE[1] + there[2]);
  const y0 = Math.fround(there[3] * MIDDLE[0] + there[4] * MIDDLE[1] + there[5]);
  const square = (i: number, zero: number): number => Math.fround(Math.fround(Math.fround(i - zero) * scale) ** 2);
  const made = new Float32Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const down = square(y, y0);
    for (let x = 0; x < width; x++, p++) made[p] = square(x, x0) + down;
  }
  return made;
}

let head: Bytes | null = null;

/** The pixels of a face's head. */
function headOf(matrix: Matrix, width: number, height: number): Bytes {
  if (!head) {
    head = bytes(FACE_SIZE, FACE_SIZE);
    for (let i = 0; i < head.data.length; i++) {
      const x = ((i % FACE_SIZE) - HEAD.x) / HEAD.across;
      const y = (Math.floor(i / FACE_SIZE) - HEAD.y) / HEAD.down;
      head.data[i] = x * x + y * y <= 1 ? 255 : 0;
    }
  }
  return where(back(head, matrix, width, height), (value) => value > 127);
}

/** The known pixels of a face's head, away from the invented ones. */
export function skinOf(invented: Bytes, matrix: Matrix): Bytes {
  const reach = Math.max(2, roundHalfEven(3 / scaleOf(matrix)));
  const seen = headOf(matrix, invented.width, invented.height);
  const close = grow(invented, reach);
  for (let p = 0; p < seen.data.length; p++) if (close.data[p]) seen.data[p] = 0;
  return seen;
}
