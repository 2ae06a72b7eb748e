/** Finds the faces of a photo; as the library's `faces/detect.py`. */

import {
  around,
  CANONICAL_POINTS,
  type Point,
  type Points,
  roundHalfEven,
  shrink,
  similarity,
} from "./align";
import { brightened } from "./exposure";
import { type Box, type Bytes, crop, like } from "./image";
import type { Network } from "./network";
import { resizeArea, resizeLinear } from "./resize";
import { area, type Candidate, candidates, distinct, type FaceBox, intersection } from "./retinaface";
import { apply, invert, type Matrix, scaleOf, shifted, warp } from "./warp";

const SCORE = 0.3;
const SURE_SCORE = 0.8;
const MIN_SIZE = 40;
const COARSE = 640;
const LEAST = 320;
const TILE = 1024;
const SHARED = 192;
const FINE_PIXELS = 2_000_000;
const LARGEST_PIXELS = 160_000_000;
const LOOK = 256;
const AROUND = 1.7;
const FACE_MIDDLE: Point = [128, 150];
const FACE_SIDE = 280;
const COVERED = 0.6;
const GREY = [123, 117, 104];

/** A face of a photo, in its pixels. */
export interface Detection {
  box: FaceBox;
  points: Points;
  score: number;
}

export function sizeOf(face: Detection): number {
  return Math.max(face.box[2] - face.box[0], face.box[3] - face.box[1]);
}

/** How many quarter turns, counterclockwise, bring a face nearest to upright: 0 to 3. */
export function quartersOf({ points: [left, right, , ...mouth] }: Detection): number {
  const [across, down] = [0, 1].map((axis) => mouth[0][axis] + mouth[1][axis] - left[axis] - right[axis]);
  return (roundHalfEven(Math.atan2(-across, down) / (Math.PI / 2)) + 4) % 4;
}

interface View {
  detection: Detection;
  turned: number;
  certainty: number;
  tilt: number;
  oddness: number;
}

export class FaceDetector {
  constructor(
    private readonly network: Network,
    /** Called between two looks; may refuse to go on by throwing. */
    private readonly pause: () => Promise<void>,
  ) {}

  /** The faces of a photo, from left to right. */
  async find(photo: Bytes): Promise<Detection[]> {
    const found = await this.found(photo);
    const lit = brightened(photo);
    // Too, for a face may be lit where all around it is dark.
    if (lit) found.push(...(await this.found(lit)));
    const large = merge(found).filter((face) => sizeOf(face) >= MIN_SIZE * 0.75);
    return large.sort((a, b) => a.box[0] + a.box[2] - b.box[0] - b.box[2] || a.box[1] - b.box[1]);
  }

  private async found(photo: Bytes): Promise<Detection[]> {
    const boxes = await this.candidates(photo);
    const found = await this.seenTwice(photo, boxes);
    const ways = new Set(boxes.length ? found.map(quartersOf) : [1, 2, 3]);
    // The photo stands on its side or its head: as it is, not all of its faces are seen.
    for (const quarters of ways.has(0) ? [] : [...ways].sort()) {
      const turned = quarterTurns(photo, quarters);
      const again = await this.candidates(turned);
      const back = again.map((box) => turnBack(box, turned.width, turned.height, quarters));
      const fresh = back.filter((box) => found.every((face) => share(box, face.box) < COVERED));
      found.push(...(await this.seenTwice(photo, fresh)));
    }
    return found;
  }

  /** Of candidates those that a second look is sure of. */
  private async seenTwice(photo: Bytes, boxes: FaceBox[]): Promise<Detection[]> {
    const looked: Detection[] = [];
    for (const box of boxes) {
      await this.pause();
      const detection = await this.look(photo, box);
      if (detection && detection.score >= SURE_SCORE) looked.push(detection);
    }
    return looked;
  }

  /** The five points of an aligned face, in its frame; null: none seen. */
  async points(face: Bytes): Promise<Points | null> {
    const view = await this.views(face, FACE_MIDDLE, FACE_SIDE, [0]);
    return view && isPlain(view) ? view.detection.points : null;
  }

  /** Boxes in the photo's pixels, surest first, each face about once. */
  private async candidates(photo: Bytes): Promise<FaceBox[]> {
    const all: Candidate[] = [];
    for (const [scale, { left, top, right, bottom }] of windows(photo.width, photo.height)) {
      await this.pause();
      const width = Math.max(1, roundHalfEven((right - left) * scale));
      const height = Math.max(1, roundHalfEven((bottom - top) * scale));
      const part = resized(crop(photo, { left, top, right, bottom }), width, height);
      // A face cut by a tile's edge is whole in the tile beside it, or in the coarse pass.
      const edges = [left > 0, top > 0, right < photo.width, bottom < photo.height];
      const ends = [0, 0, width, height];
      for (const found of await candidates(this.network, part, SCORE)) {
        if (edges.some((edge, i) => edge && Math.abs(found.box[i] - ends[i]) < 3)) continue;
        const box = found.box.map((v, i) => v / scale + (i % 2 ? top : left)) as FaceBox;
        all.push({ ...found, box });
      }
    }
    return distinct(all, 0.5).map((found) => found.box);
  }

  /** One candidate from near: as it stands; if in doubt turned by quarters; then upright. */
  private async look(photo: Bytes, box: FaceBox): Promise<Detection | null> {
    const side = Math.max(box[2] - box[0], box[3] - box[1]) * AROUND;
    const middle: Point = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    let best = await this.views(photo, middle, side, [0]);
    if (!best || !isPlain(best)) {
      const others = await this.views(photo, middle, side, [90, 180, 270]);
      best = likeliest([best, others]);
    }
    if (!best) return null;
    if (Math.abs(best.tilt) > 12) {
      const upright = await this.views(photo, middle, side, [best.turned + best.tilt]);
      if (upright && belief(upright) > belief(best) - 0.5) best = upright;
    }
    return best.detection;
  }

  /** The likeliest face in the middle of squares cut at these angles. */
  private async views(photo: Bytes, middle: Point, side: number, angles: number[]): Promise<View | null> {
    const views: View[] = [];
    for (const angle of angles) {
      const matrix = square(middle, side, angle);
      const found = await candidates(this.network, cutView(photo, matrix, LOOK / side), 0.3);
      const near = found.find(({ box }) =>
        [box[0] + box[2], box[1] + box[3]].every((sum) => Math.abs(sum / 2 - LOOK / 2) < LOOK / 6),
      );
      if (near) views.push(viewOf(matrix, angle, near));
    }
    return likeliest(views);
  }
}

function viewOf(matrix: Matrix, angle: number, { box, points, doubt }: Candidate): View {
  const face = similarity(points, CANONICAL_POINTS);
  const scale = scaleOf(face);
  const off = points.map(([x, y], k) => {
    const [there, down] = apply(face, x, y);
    return Math.hypot(there - CANONICAL_POINTS[k][0], down - CANONICAL_POINTS[k][1]);
  });
  const back = invert(matrix);
  // The head is about an ellipse; the upright box around it after turning it back.
  const [a, b] = [(box[2] - box[0]) / 2, (box[3] - box[1]) / 2];
  const [acrossX, acrossY] = [Math.hypot(back[0] * a, back[1] * b), Math.hypot(back[3] * a, back[4] * b)];
  const [x, y] = apply(back, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2);
  return {
    detection: {
      box: [x - acrossX, y - acrossY, x + acrossX, y + acrossY],
      points: points.map((p) => apply(back, ...p)),
      score: 1 - doubt,
    },
    turned: angle,
    certainty: -Math.log10(Math.max(doubt, 1e-8)),
    tilt: scale > 0 ? (Math.atan2(-face[3], face[0]) * 180) / Math.PI : 0,
    oddness: off.reduce((sum, v) => sum + v, 0) / off.length,
  };
}

function isPlain(view: View): boolean {
  return view.certainty > 2.3 && Math.abs(view.tilt) < 35 && view.oddness < 17;
}

function belief(view: View): number {
  return view.certainty - Math.abs(view.tilt) / 45;
}

function likeliest(views: (View | null)[]): View | null {
  return views.reduce((best, view) => (view && (!best || belief(view) > belief(best)) ? view : best), null);
}

/** What the network is to see: a scale, and a part of the photo. */
export function windows(width: number, height: number): [number, Box][] {
  const longest = Math.max(height, width);
  let fine = Math.min(1, Math.sqrt(FINE_PIXELS / (height * width)));
  fine = Math.min(Math.max(fine, LEAST / longest), Math.sqrt(LARGEST_PIXELS / (height * width)));
  const tiled = longest * fine > TILE * 1.2;
  const coarse = tiled ? COARSE / longest : fine;
  const found: [number, Box][] = [];
  for (const scale of [coarse, coarse / 2, coarse / 4]) {
    if (scale === coarse || longest * scale >= LEAST / 2) {
      found.push([scale, { left: 0, top: 0, right: width, bottom: height }]);
    }
  }
  if (!tiled) return found;
  for (const [top, bottom] of spans(height, fine)) {
    for (const [left, right] of spans(width, fine)) found.push([fine, { left, top, right, bottom }]);
  }
  return found;
}

function spans(length: number, scale: number): [number, number][] {
  const [tile, shared] = [TILE / scale, SHARED / scale];
  const parts = Math.max(1, Math.ceil((length - shared) / (tile - shared)));
  const each = (length - shared) / parts + shared;
  return Array.from({ length: parts }, (_, i) => {
    const start = roundHalfEven(i * (each - shared));
    return [start, Math.min(length, roundHalfEven(start + each))];
  });
}

function resized(part: Bytes, width: number, height: number): Bytes {
  return width < part.width ? resizeArea(part, width, height) : resizeLinear(part, width, height);
}

/** The map that turns the photo counterclockwise and puts this square on LOOK x LOOK. */
function square([x, y]: Point, side: number, angle: number): Matrix {
  const turn = (angle * Math.PI) / 180;
  const [a, b] = [(Math.cos(turn) * LOOK) / side, (Math.sin(turn) * LOOK) / side];
  const middle = (LOOK - 1) / 2;
  const matrix = [a, b, middle - a * x - b * y, -b, a, middle + b * x - a * y];
  return matrix.map(Math.fround) as unknown as Matrix;
}

/** The square of a photo under such a map, each pixel the mean of those it covers. */
function cutView(photo: Bytes, matrix: Matrix, scale: number): Bytes {
  const back = invert(matrix);
  const corners = [0, LOOK].flatMap((x) => [0, LOOK].map((y) => apply(back, x, y)));
  const box = around(corners, photo.width, photo.height);
  let part = crop(photo, box);
  let moved = shifted(matrix, box.left, box.top);
  if (scale < 1 && part.data.length) [part, moved] = shrink(part, moved, scale, resized);
  return warp(part, invert(moved), LOOK, LOOK, { border: GREY });
}

/** Turned counterclockwise by quarters. */
function quarterTurns(photo: Bytes, turns: number): Bytes {
  const { width, height, channels } = photo;
  const swapped = turns % 2 === 1;
  const made = like(photo, swapped ? height : width, swapped ? width : height);
  for (let y = 0, to = 0; y < made.height; y++) {
    for (let x = 0; x < made.width; x++) {
      const [fromX, fromY] =
        turns === 1 ? [width - 1 - y, x] : turns === 2 ? [width - 1 - x, height - 1 - y] : [y, height - 1 - x];
      for (let c = 0; c < channels; c++, to++) made.data[to] = photo.data[(fromY * width + fromX) * channels + c];
    }
  }
  return made;
}

/** A box of a photo that was turned counterclockwise by quarters and then had this size. */
function turnBack(box: FaceBox, width: number, height: number, turns: number): FaceBox {
  let [left, top, right, bottom] = box;
  for (let i = 0; i < turns; i++) {
    [left, top, right, bottom] = [height - bottom, left, height - top, right];
    [width, height] = [height, width];
  }
  return [left, top, right, bottom];
}

/** Each face once: where one covers most of another, the surer one stays. */
function merge(detections: Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const one of [...detections].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => share(one.box, other.box) < COVERED)) kept.push(one);
  }
  return kept;
}

/** What two boxes share, in parts of the smaller. */
function share(a: FaceBox, b: FaceBox): number {
  return intersection(a, b) / Math.max(Math.min(area(a), area(b)), 1e-6);
}
