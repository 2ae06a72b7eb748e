/** Where a fill ends at the edge of its frame, it ends softly; as the library's `faces/fade.py`. */

import { roundHalfEven } from "./align";
import { bytes, type Bytes, FACE_SIZE } from "./image";
import { apply, invert, type Matrix } from "./warp";

const FADE = 24; // pixels of the frame over which a fill goes over to the photo

/** How much a face's fill counts against the photo, 0 to 255; null: all of it does everywhere.
 *
 * It is less towards each edge of the frame at which something hidden meets more of the photo. What
 * is below the frame may be another patch's to fill.
 */
export function fading(hidden: Bytes, matrix: Matrix, width: number, height: number, below: boolean): Bytes | null {
  const back = invert(matrix);
  const last = FACE_SIZE - 1;
  const inPhoto = (column: number, row: number): boolean => {
    const [x, y] = apply(back, column, row);
    return x >= 0 && x < width && y >= 0 && y < height;
  };
  const meets = (pixel: (i: number) => number, beyond: (i: number) => [number, number]): boolean => {
    for (let i = 0; i < FACE_SIZE; i++) {
      if (hidden.data[pixel(i)] && inPhoto(...beyond(i))) return true;
    }
    return false;
  };
  const top = meets((i) => i, (i) => [i, -1]);
  const bottom = below && meets((i) => last * FACE_SIZE + i, (i) => [i, FACE_SIZE]);
  const left = meets((i) => i * FACE_SIZE, (i) => [-1, i]);
  const right = meets((i) => i * FACE_SIZE + last, (i) => [FACE_SIZE, i]);
  if (!(top || bottom || left || right)) return null;
  const fade = bytes(FACE_SIZE, FACE_SIZE);
  for (let y = 0, p = 0; y < FACE_SIZE; y++) {
    for (let x = 0; x < FACE_SIZE; x++, p++) {
      let near = FADE;
      if (top) near = Math.min(near, y + 0.5);
      if (bottom) near = Math.min(near, last - y + 0.5);
      if (left) near = Math.min(near, x + 0.5);
      if (right) near = Math.min(near, last - x + 0.5);
      fade.data[p] = roundHalfEven((255 * near) / FADE);
    }
  }
  return fade;
}
