/** Where a fill ends at the edge of its frame, it ends softly; as the library's `faces/fade.py`. */

import { roundHalfEven } from "./align";
import { components, grow } from "./filter";
import { bytes, type Bytes, FACE_SIZE } from "./image";
import { apply, invert, type Matrix } from "./warp";

const FADE = 24; // pixels of the frame over which a fill goes over to the photo
const APART = 3; // pixels around another hidden part, whose fill is seen as far as it is blended

/** How much a face's fill counts against the photo, 0 to 255; null: all of it does everywhere.
 *
 * It is less towards each edge of the frame at which something hidden meets more of the photo, but where
 * something else is hidden, which does not. What is below the frame may be another patch's to fill.
 */
export function fading(hidden: Bytes, matrix: Matrix, width: number, height: number, below: boolean): Bytes | null {
  const back = invert(matrix);
  const last = FACE_SIZE - 1;
  const inPhoto = (column: number, row: number): boolean => {
    const [x, y] = apply(back, column, row);
    return x >= 0 && x < width && y >= 0 && y < height;
  };
  const [parts] = components(hidden);
  /** What is hidden apart from all that meets more of the photo at an edge; null: nothing does. */
  const apart = (pixel: (i: number) => number, beyond: (i: number) => [number, number]): Bytes | null => {
    const goesOn = new Set<number>();
    for (let i = 0; i < FACE_SIZE; i++) {
      if (hidden.data[pixel(i)] && inPhoto(...beyond(i))) goesOn.add(parts[pixel(i)]);
    }
    if (!goesOn.size) return null;
    const others = bytes(FACE_SIZE, FACE_SIZE);
    parts.forEach((part, p) => (others.data[p] = part && !goesOn.has(part) ? 1 : 0));
    return grow(others, APART);
  };
  const top = apart((i) => i, (i) => [i, -1]);
  const bottom = below ? apart((i) => last * FACE_SIZE + i, (i) => [i, FACE_SIZE]) : null;
  const left = apart((i) => i * FACE_SIZE, (i) => [-1, i]);
  const right = apart((i) => i * FACE_SIZE + last, (i) => [FACE_SIZE, i]);
  if (!(top || bottom || left || right)) return null;
  const fade = bytes(FACE_SIZE, FACE_SIZE);
  for (let y = 0, p = 0; y < FACE_SIZE; y++) {
    for (let x = 0; x < FACE_SIZE; x++, p++) {
      let near = FADE;
      if (top && !top.data[p]) near = Math.min(near, y + 0.5);
      if (bottom && !bottom.data[p]) near = Math.min(near, last - y + 0.5);
      if (left && !left.data[p]) near = Math.min(near, x + 0.5);
      if (right && !right.data[p]) near = Math.min(near, last - x + 0.5);
      fade.data[p] = roundHalfEven((255 * near) / FADE);
    }
  }
  return fade;
}
