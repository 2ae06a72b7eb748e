/** A face and what of it a given mask hides; as the library's `faces/given.py`. */

import { cut, frameBox } from "./align";
import { grow } from "./filter";
import { bytes, type Bytes, crop, FACE_SIZE, type Floats, rint, toByte, where } from "./image";
import { type Matrix, scaleOf, shifted } from "./warp";

const HALF = 127;

/** The aligned face of a photo, made of its known pixels alone, and what of it is hidden. */
export function cutKnown(photo: Bytes, mask: Bytes, matrix: Matrix): [Bytes, Bytes] {
  // The part alone: of a large photo, all of it as floats would be more than a phone has.
  const box = frameBox(matrix, photo.width, photo.height);
  const here = shifted(matrix, box.left, box.top);
  const covered = covering(crop(mask, box));
  // Enlarged colours overshoot beside an edge, and shares of them, too; bytes would cut that off.
  const enlarged = scaleOf(matrix) > 1;
  const part = enlarged ? asFloats(crop(photo, box)) : crop(photo, box);
  for (let p = 0; p < covered.data.length; p++) {
    if (covered.data[p]) part.data.fill(0, p * photo.channels, (p + 1) * photo.channels);
  }
  const colours = cut<Uint8Array | Float32Array>(part, here);
  const hides = enlarged ? cut(asFloats(covered), here) : cut(covered, here);
  const face = bytes(FACE_SIZE, FACE_SIZE, photo.channels);
  hides.data.forEach((value, p) => {
    const times = value && value < 255 ? Math.fround(255 / (255 - value)) : 1;
    for (let i = p * photo.channels; i < (p + 1) * photo.channels; i++) {
      face.data[i] = toByte(Math.fround(colours.data[i] * times));
    }
  });
  return [face, hiddenBy(mask, matrix, hides)];
}

/** A photo's mask in a face's frame: hidden where half of it is, and wherever else `paste` would not reach a
 * hidden pixel. */
export function maskOfFace(mask: Bytes, matrix: Matrix): Bytes {
  const box = frameBox(matrix, mask.width, mask.height);
  return hiddenBy(mask, matrix, cut(covering(crop(mask, box)), shifted(matrix, box.left, box.top)));
}

/** 255 where a mask hides. */
function covering(mask: Bytes): Bytes {
  return { ...mask, data: mask.data.map((value) => (value ? 255 : 0)) };
}

function asFloats(picture: Bytes): Floats {
  return { ...picture, data: Float32Array.from(picture.data) };
}

function hiddenBy(mask: Bytes, matrix: Matrix, hides: Bytes | Floats): Bytes {
  const face = where(hides, (value) => rint(value) > HALF);
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
