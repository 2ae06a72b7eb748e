/** The pipeline, top to bottom; as the library's `restorer.py`, whose answer it gives.
 *
 * Photo, faces, occluder masks, restored faces, photo again.
 */

import { agreed, below, FAR, reachesBelow } from "./afar";
import { CANONICAL_POINTS, cornerShift, correction, cut, fit, type Points, seenFromSide, shown } from "./align";
import { type Detection, type FaceDetector, sizeOf } from "./detect";
import { averageKnown } from "./eigenface";
import { gainOf, lit } from "./exposure";
import { cutKnown, maskOfFace } from "./given";
import { grain, onGrid } from "./grain";
import { hiddenPart, outOfFocus } from "./hidden";
import { any, bounds, bytes, type Bytes, count, crop, FACE_SIZE, type Floats, hasColours, removeColours, rint, toByte, where } from "./image";
import { type FaceModel, type Manner, maskInput, toNetwork } from "./model";
import type { Network } from "./network";
import { type Patch, paste, skinOf } from "./paste";
import { resize } from "./resize";
import { apply, chain, invert, type Matrix, warp } from "./warp";

const { fround } = Math;
const REALIGNED_FROM = 0.02;
const REALIGNED_BY = 4;
const CONFIRMED = 0.5;
/** From a face's frame to one seen from a little further away. */
const FURTHER: Matrix = [0.95, 0, 6.4, 0, 0.95, 6.4];

export interface FoundFace {
  box: [number, number, number, number];
  points: Points;
  /** Hidden pixels / all pixels of the face. */
  coverage: number;
}

export interface Restoration {
  photo: Bytes;
  invented: Bytes;
  faces: FoundFace[];
  /** How many more faces were found. */
  passedOver: number;
}

/** What is asked of one photo. */
export interface Wish {
  /** The same photo has the same number: its faces are looked for once. */
  id: number;
  photo: Bytes;
  /** Null: found by the model. */
  mask: Bytes | null;
  /** The photo is one face in the canonical frame, of any square size. */
  aligned: boolean;
  /** At most so many faces, the largest ones. */
  faces: number;
}

/** A face in the canonical frame, and what is to be invented of it. */
interface Aligned {
  detection: Detection;
  /** From the photo to the frame. */
  matrix: Matrix;
  face: Bytes;
  /** How surely each of its pixels is hidden; null: the visitor says so, or nobody looked. */
  occluder: Floats | null;
  hidden: Bytes;
  /** What is to be invented below the frame, seen from FAR; null: nothing. */
  below: Bytes | null;
}

export class Restorer {
  private readonly found = new Map<number, Detection[]>();

  constructor(
    private readonly model: FaceModel,
    private readonly detector: FaceDetector,
    private readonly aligner: Network,
    /** Says what is being done; may refuse to go on by throwing. */
    private readonly stage: (words: string) => Promise<void>,
  ) {}

  /** One restoration for each manner, for null with nothing filled in; without a face none of them has any. */
  async restore(wish: Wish, manners: (Manner | null)[]): Promise<Restoration[]> {
    if (wish.aligned) return this.restoreAligned(wish, manners);
    const found = this.found.get(wish.id) ?? (await this.find(wish));
    const largest = [...found].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, wish.faces);
    const faces = found.filter((face) => largest.includes(face));
    const aligned = await this.align(wish, faces);
    const results: Restoration[] = [];
    for (const manner of manners) {
      const patches = await this.fill(aligned, manner);
      if (manner) await this.stage("Putting it back…");
      const [photo, invented] = paste(wish.photo, patches, wish.mask, manner !== null);
      const left = wish.mask && where(wish.mask, (value, p) => value > 0 && !invented.data[p]);
      const hanging = aligned.flatMap((one) => lower(photo, left, one));
      const below = await this.fill(hanging, manner);
      results.push({ ...finish(wish, aligned, below, manner, photo, invented), passedOver: found.length - faces.length });
    }
    return results;
  }

  private async find({ id, photo }: Wish): Promise<Detection[]> {
    await this.stage("Looking for faces…");
    const found = await this.detector.find(photo);
    this.found.set(id, found);
    return found;
  }

  /** Each face in its frame, and what is hidden of it. */
  private async align(wish: Wish, found: Detection[]): Promise<Aligned[]> {
    const aligned: Aligned[] = [];
    for (const [i, detection] of found.entries()) {
      await this.stage(`Face${found.length > 1 ? ` ${i + 1} of ${found.length}` : ""}: what hides it…`);
      const first = await this.outline(wish, detection);
      const better = await this.betterPoints(first);
      const moves = better && cornerShift(chain(fit(better), invert(first.matrix))) >= REALIGNED_BY;
      const one = moves ? await this.outline(wish, { ...detection, points: better }) : first;
      aligned.push(await this.fromAfar(wish, await this.confirmed(wish.photo, first, one)));
    }
    return aligned;
  }

  /** Cuts a face out by its points, and finds what is hidden, or takes the visitor's word. */
  private async outline(wish: Wish, detection: Detection): Promise<Aligned> {
    const matrix = fit(detection.points);
    if (wish.mask) {
      const [face, hidden] = cutKnown(wish.photo, wish.mask, matrix);
      return { detection, matrix, face, occluder: null, hidden, below: null };
    }
    const face = cut(wish.photo, matrix);
    // What is beside a profile is taken for an occluder, and its fill is a second face.
    const blind = seenFromSide(detection.points) || outOfFocus(face);
    const occluder = blind ? null : await this.model.find(face);
    const hidden = occluder ? hiddenPart(occluder) : bytes(FACE_SIZE, FACE_SIZE);
    return { detection, matrix, face, occluder, hidden, below: null };
  }

  /** What is found in the better frame and from further away; nothing, if that is much less than at first. */
  private async confirmed(photo: Bytes, first: Aligned, better: Aligned): Promise<Aligned> {
    if (!better.occluder || !any(better.hidden)) return better;
    const further = await this.model.find(cut(photo, chain(FURTHER, better.matrix)));
    const same = warp(further, FURTHER, FACE_SIZE, FACE_SIZE).data;
    const data = better.occluder.data.map((value, p) => fround(value + same[p]) / 2);
    const hidden = hiddenPart({ ...better.occluder, data });
    if (count(hidden) < CONFIRMED * count(first.hidden)) hidden.data.fill(0);
    return { ...better, hidden };
  }

  /** The points of a face once its occluder is allowed for; null: too little of it is hidden, or all. */
  private async betterPoints({ detection, matrix, face, hidden }: Aligned): Promise<Points | null> {
    const { points } = detection;
    const coverage = coverageOf(hidden);
    if (coverage < REALIGNED_FROM || coverage === 1 || seenFromSide(points)) return null;
    const { moved } = await this.aligner.run({
      face: toNetwork(lit(face, gainOf(face, hidden))),
      mask: maskInput(hidden),
    });
    const back = invert(chain(correction(moved.map(rint)), matrix));
    return points.map((p) => apply(back, ...apply(matrix, ...p))) as Points;
  }

  /** A face after a look from further away, if its occluder reaches the frame's lower edge. */
  private async fromAfar({ photo, mask }: Wish, one: Aligned): Promise<Aligned> {
    if (!reachesBelow(one.hidden)) return one;
    const far = chain(FAR, one.matrix);
    const seen = mask ? maskOfFace(mask, far) : hiddenPart(await this.model.find(cut(photo, far)));
    const hidden = mask ? one.hidden : agreed(one.hidden, seen);
    return { ...one, hidden, below: below(hidden, seen, shown(far, photo.width, photo.height)) };
  }

  /** The faces with their hidden part invented; null: as they are. */
  private async fill(aligned: Aligned[], manner: Manner | null): Promise<Patch[]> {
    const patches: Patch[] = [];
    for (const [i, { matrix, face, hidden, below }] of aligned.entries()) {
      let filled = face;
      if (manner && any(hidden)) {
        await this.stage(`Face${aligned.length > 1 ? ` ${i + 1} of ${aligned.length}` : ""}: inventing the hidden part…`);
        filled = await this.model.fill(face, hidden, manner);
      }
      patches.push({ matrix, filled, hidden, goesOn: below !== null });
    }
    return patches;
  }

  private async restoreAligned({ photo, mask }: Wish, manners: (Manner | null)[]): Promise<Restoration[]> {
    const side = photo.width;
    // Enlarged with what hides it, its known pixels would have some of that in them.
    const face = mask && side < FACE_SIZE ? knownPart(photo, mask) : resize(photo, FACE_SIZE);
    await this.stage("What hides the face…");
    const hidden = mask ? resizeMask(mask, FACE_SIZE) : hiddenPart(await this.model.find(face));
    const invented = mask ?? resizeMask(hidden, side);
    const points = CANONICAL_POINTS.map(([x, y]) => [(x * side) / FACE_SIZE, (y * side) / FACE_SIZE]) as Points;
    const found: FoundFace = { box: [0, 0, side, side], points, coverage: coverageOf(hidden) };
    const results: Restoration[] = [];
    for (const manner of manners) {
      const restored = { ...photo, data: photo.data.slice() };
      if (manner && any(invented)) {
        await this.stage("Inventing the hidden part…");
        const plain = resize(await this.model.fill(face, hidden, manner), side);
        const filled = side > FACE_SIZE ? grainy(photo, plain, invented) : plain;
        for (let i = 0; i < restored.data.length; i++) {
          if (invented.data[Math.floor(i / 3)]) restored.data[i] = filled.data[i];
        }
        if (!hasColours(face, hidden)) removeColours(restored, invented);
      }
      results.push({ photo: restored, invented, faces: [found], passedOver: 0 });
    }
    return results;
  }
}

/** The fill of an aligned face that is larger than the frame, with the face's grain. */
function grainy(face: Bytes, filled: Bytes, invented: Bytes): Bytes {
  const box = bounds(invented);
  if (!box) return filled;
  const side = face.width;
  const small = skinOf(resizeMask(invented, FACE_SIZE), [1, 0, 0, 0, 1, 0]);
  const frame = Array.from({ length: side }, (_, i) => Math.floor((i * FACE_SIZE) / side));
  const skin = bytes(side, side);
  frame.forEach((row, y) => frame.forEach((column, x) => (skin.data[y * side + x] = small.data[row * FACE_SIZE + column])));
  const close = onGrid(box, face.width, face.height);
  const { left, top, bottom } = close;
  const part = grain(face, skin, crop(filled, close), crop(invented, close), FACE_SIZE / side, left, top);
  const made = { ...filled, data: filled.data.slice() };
  for (let y = top; y < bottom; y++) {
    const from = (y - top) * part.width * 3;
    made.data.set(part.data.subarray(from, from + part.width * 3), (y * side + left) * 3);
  }
  return made;
}

/** A small face at 256x256, made of its known pixels alone. */
function knownPart(photo: Bytes, mask: Bytes): Bytes {
  const { colour } = averageKnown(photo, mask, FACE_SIZE);
  return { ...colour, data: Uint8Array.from(colour.data, toByte) };
}

/** A face with what hangs below it as its hidden part, in the frame seen from FAR; none or one. */
function lower(photo: Bytes, mask: Bytes | null, { detection, matrix, below }: Aligned): Aligned[] {
  if (!below) return [];
  const far = chain(FAR, matrix);
  const face = cut(photo, far);
  if (mask) {
    const [known, hidden] = cutKnown(photo, mask, far);
    // What else is hidden stays in the photo.
    for (let p = 0; p < hidden.data.length; p++) {
      if (below.data[p] || !hidden.data[p]) face.data.set(known.data.subarray(3 * p, 3 * p + 3), 3 * p);
    }
  }
  return [{ detection, matrix: far, face, occluder: null, hidden: below, below: null }];
}

/** Puts back what hangs below the faces, and describes them. */
function finish(
  { mask }: Wish,
  aligned: Aligned[],
  below: Patch[],
  manner: Manner | null,
  photo: Bytes,
  invented: Bytes,
): Omit<Restoration, "passedOver"> {
  let restored = photo;
  if (below.length) {
    const [whole, more] = paste(photo, below, mask, manner !== null);
    restored = whole;
    more.data.forEach((value, p) => {
      if (value) invented.data[p] = value;
    });
  }
  const faces = aligned.map(({ detection: { box, points }, hidden }) => ({ box, points, coverage: coverageOf(hidden) }));
  return { photo: restored, invented, faces };
}

function coverageOf(hidden: Bytes): number {
  return count(hidden) / hidden.data.length;
}

/** To side x side, so that every pixel that touches a hidden one is hidden. */
export function resizeMask(mask: Bytes, side: number): Bytes {
  const { width, height } = mask;
  if (width === side && height === side) return mask;
  const made = bytes(side, side);
  const span = (i: number, length: number): [number, number] => [
    Math.floor((i * length) / side),
    Math.ceil(((i + 1) * length) / side),
  ];
  for (let y = 0; y < side; y++) {
    const [top, bottom] = span(y, height);
    for (let x = 0; x < side; x++) {
      const [left, right] = span(x, width);
      for (let row = top; row < bottom && !made.data[y * side + x]; row++) {
        made.data[y * side + x] = mask.data.subarray(row * width + left, row * width + right).some(Boolean) ? 1 : 0;
      }
    }
  }
  return made;
}
