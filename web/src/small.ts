/** Small views of a picture, which stay when the picture itself is freed. */

import { makeCanvas } from "./dom";
import type { FaceFound } from "./engine";

/** The longer side of what stands for a photo until it is decoded. */
const SIDE = 512;
const THUMB = 112;
const PREVIEW = 96;

/** The whole of it. */
export function small(picture: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const [canvas, context] = makeCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A square of it, for the strip. */
export function thumbnail(picture: HTMLCanvasElement): HTMLCanvasElement {
  const [canvas, context] = makeCanvas(THUMB, THUMB);
  const scale = THUMB / Math.min(picture.width, picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  context.imageSmoothingQuality = "high";
  // Faces are seldom at the very bottom of a tall photo.
  context.drawImage(picture, (THUMB - width) / 2, (THUMB - height) / 4, width, height);
  return canvas;
}

/** A face as a result shows it; all of the result, where there is none. */
export function preview(face: FaceFound | null, after: ImageBitmap): HTMLCanvasElement {
  const [canvas, context] = makeCanvas(PREVIEW, PREVIEW);
  const box = face?.box ?? [0, 0, after.width, after.height];
  const size = Math.max(box[2] - box[0], box[3] - box[1]) * 1.15;
  const left = (box[0] + box[2] - size) / 2;
  const top = (box[1] + box[3] - size) / 2;
  context.imageSmoothingQuality = "high";
  context.drawImage(after, left, top, size, size, 0, 0, PREVIEW, PREVIEW);
  return canvas;
}
