/** RetinaFace: boxes and five points of the faces in an image; as the library's `runtime/detector`. */

import type { Points } from "./align";
import { type Bytes, rint } from "./image";
import type { Network } from "./network";

const MEAN_RGB = [123, 117, 104];
const STRIDES = [8, 16, 32];
const ANCHORS = [
  [16, 32],
  [64, 128],
  [256, 512],
];
const CENTRE = 0.1;
const SIZE = 0.2;
const OVERLAP = 0.4;
/** Places are told in parts of a pixel, so that the last bits of the arithmetic move no face. */
const PARTS = 8;

/** Left, top, right, bottom. */
export type FaceBox = [number, number, number, number];

export interface Candidate {
  box: FaceBox;
  points: Points;
  /** The network's probability that it is no face. */
  doubt: number;
}

/** The faces of one image, surest first, in its pixels. */
export async function candidates(network: Network, image: Bytes, threshold: number): Promise<Candidate[]> {
  const { width, height } = image;
  const plane = width * height;
  const input = new Float32Array(3 * plane);
  for (let p = 0; p < plane; p++) {
    for (let c = 0; c < 3; c++) input[(2 - c) * plane + p] = image.data[3 * p + c] - MEAN_RGB[c];
  }
  const outputs = await network.run({ input: { data: input, dims: [1, 3, height, width] } });
  return decode(width, height, outputs.loc, outputs.conf, outputs.landmarks, threshold);
}

function decode(
  width: number,
  height: number,
  loc: Float32Array,
  conf: Float32Array,
  marks: Float32Array,
  threshold: number,
): Candidate[] {
  const found: Candidate[] = [];
  let row = 0;
  STRIDES.forEach((stride, level) => {
    for (let y = 0; y < Math.ceil(height / stride); y++) {
      for (let x = 0; x < Math.ceil(width / stride); x++) {
        for (const side of ANCHORS[level]) {
          const i = row++;
          if (conf[2 * i + 1] <= threshold) continue;
          const [middleX, middleY] = [(x + 0.5) * stride, (y + 0.5) * stride];
          const centreX = middleX + side * CENTRE * loc[4 * i];
          const centreY = middleY + side * CENTRE * loc[4 * i + 1];
          const halfX = (side * Math.exp(SIZE * loc[4 * i + 2])) / 2;
          const halfY = (side * Math.exp(SIZE * loc[4 * i + 3])) / 2;
          const points: Points = [];
          for (let k = 10 * i; k < 10 * i + 10; k += 2) {
            points.push([rounded(middleX + side * CENTRE * marks[k]), rounded(middleY + side * CENTRE * marks[k + 1])]);
          }
          const box = [centreX - halfX, centreY - halfY, centreX + halfX, centreY + halfY].map(rounded);
          found.push({ box: box as FaceBox, points, doubt: conf[2 * i] });
        }
      }
    }
  });
  return distinct(found, OVERLAP);
}

function rounded(place: number): number {
  return rint(place * PARTS) / PARTS;
}

/** One of each group that overlaps (intersection over union), surest first. */
export function distinct(found: Candidate[], overlap: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const one of [...found].sort((a, b) => a.doubt - b.doubt)) {
    if (one.doubt < 1 && kept.every((other) => unionShare(one.box, other.box) <= overlap)) kept.push(one);
  }
  return kept;
}

export function intersection(a: FaceBox, b: FaceBox): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

export function area(box: FaceBox): number {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function unionShare(a: FaceBox, b: FaceBox): number {
  const both = intersection(a, b);
  return both / (area(a) + area(b) - both);
}
