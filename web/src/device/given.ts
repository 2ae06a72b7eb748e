/** A face and what of it a given mask hides; as the library's `faces/given.py`. */

import { cut, frameBox } from "./align";
import { grow } from "./filter";
import { bytes, type Bytes, copy, FACE_SIZE, rint, where } from "./image";
import type { Matrix } from "./warp";

const HALF = 127;

/** The aligned face of a photo, made of its known pixels alone, and what of it is hidden. */
export function cutKnown(photo: Bytes, mask: Bytes, matrix: Matrix): [Bytes, Bytes] {
  const part = copy(photo);
  for (let p = 0; p < mask.data.length; p++) {
    if (mask.data[p]) part.data.fill(0, p * photo.channels, (p + 1) * photo.channels);
  }
  const face = cut(part, matrix);
  const hides = covered(mask, matrix);
  hides.data.forEach((value, p) => {
    if (!value || value === 255) return;
    const times = Math.fround(255 / (255 - value));
    for (let i = p * photo.channels; i < (p + 1) * photo.channels; i++) {
      face.data[i] = rint(Math.min(Math.fround(face.data[i] * times), 255));
    }
  });
  return [face, hiddenBy(mask, matrix, hides)];
}

/** A photo's mask in a face's frame: hidden where half of it is, and wherever else `paste` would not reach a
 * hidden pixel. */
export function maskOfFace(mask: Bytes, matrix: Matrix): Bytes {
  return hiddenBy(mask, matrix, covered(mask, matrix));
}

function covered(mask: Bytes, matrix: Matrix): Bytes {
  return cut({ ...mask, data: mask.data.map((value) => (value ? 255 : 0)) }, matrix);
}

function hiddenBy(mask: Bytes, matrix: Matrix, hides: Bytes): Bytes {
  const face = where(hides, (value) => value > HALF);
  const reached = grow(face, 1);
  const found = specks(mask, matrix);
  return where(face, (value, p) => value > 0 || (found.data[p] > 0 && !reached.data[p]));
}

/** The pixels of a face's frame in which a hidden pixel of the photo has its middle. */
function specks(mask: Bytes, matrix: Matrix): Bytes {
  const found = bytes(FACE_SIZE, FACE_SIZE);
  const [a, b, c, d, e, f] = matrix;
  const box = frameBox(matrix, mask.width, mask.height);
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      if (!mask.data[y * mask.width + x]) continue;
      const left = Math.floor(a * x + b * y + c + 0.5);
      const top = Math.floor(d * x + e * y + f + 0.5);
      const inside = left >= 0 && left < FACE_SIZE && top >= 0 && top < FACE_SIZE;
      if (inside) found.data[top * FACE_SIZE + left] = 1;
    }
  }
  return found;
}
