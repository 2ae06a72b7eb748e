/** What is asked for one photo: look, restore, the file with the marks in it. */

import { makeCanvas } from "./dom";
import { type Answer, type Engine, percent, type Wish } from "./engine";
import { MaskLayer } from "./mask";
import type { Photo, Variant } from "./photo";

export interface Choice {
  detail?: number;
  samples?: number;
}

/** Finds faces and what hides them; fills in the photo. */
export async function look(engine: Engine, photo: Photo): Promise<void> {
  const signal = begin(photo);
  const answer = await engine.segment({ photo: photo.file, aligned: photo.aligned }, signal);
  const found = await createImageBitmap(answer.mask);
  photo.found?.close();
  photo.found = found;
  photo.faces = answer.faces;
  photo.mask.load(found, false);
  photo.mask.forget();
  photo.words = lookWords(answer);
}

/** Restores with the mask as it is now. */
export async function restore(engine: Engine, photo: Photo, choice: Choice): Promise<void> {
  const signal = begin(photo);
  const seed = photo.seed;
  const answer = await engine.restore({ ...(await wishOf(photo, choice)), seed }, signal);
  if (!answer.photo) throw new Error("the answer has no picture");
  const after = await createImageBitmap(answer.photo);
  const invented = await createImageBitmap(answer.mask);
  const layer = new MaskLayer(photo.width, photo.height);
  layer.load(invented, false);
  invented.close();
  const samples: Variant[] = [];
  for (const file of answer.samples) samples.push({ after: await createImageBitmap(file), file });
  if (samples.length) {
    photo.shownSeed = seed;
    photo.seed += samples.length; // the next ones are others
  }
  const variant = Math.min(photo.variant, samples.length - 1);
  photo.dropResult();
  photo.variant = variant;
  photo.faces = answer.faces;
  photo.result = { after, file: answer.photo, invented: layer.canvas, share: answer.invented, samples };
  photo.stale = false;
  photo.words = restoreWords(answer);
}

/** The file with what is invented tinted. */
export async function marked(engine: Engine, photo: Photo, choice: Choice): Promise<Blob> {
  const signal = begin(photo);
  const sample = photo.variant < 0 ? {} : { samples: 1, seed: photo.shownSeed + photo.variant };
  return engine.marked({ ...(await wishOf(photo, choice)), ...sample }, signal);
}

/** A small picture of one of several results. */
export function preview(photo: Photo, after: ImageBitmap, side: number): HTMLCanvasElement {
  const [canvas, context] = makeCanvas(side, side);
  const box = photo.faces[0]?.box ?? [0, 0, photo.width, photo.height];
  const size = Math.max(box[2] - box[0], box[3] - box[1]) * 1.15;
  const left = (box[0] + box[2] - size) / 2;
  const top = (box[1] + box[3] - size) / 2;
  context.imageSmoothingQuality = "high";
  context.drawImage(after, left, top, size, size, 0, 0, side, side);
  return canvas;
}

async function wishOf(photo: Photo, choice: Choice): Promise<Wish> {
  // A mask that nobody changed need not travel: the same one is found again.
  const mask = photo.mask.edited ? await photo.mask.toFile() : null;
  return { photo: photo.file, mask, aligned: photo.aligned, ...choice };
}

/** A new piece of work ends the one before it. */
function begin(photo: Photo): AbortSignal {
  photo.work?.abort();
  photo.work = new AbortController();
  return photo.work.signal;
}

function lookWords(answer: Answer): string {
  const faces = answer.faces.length === 1 ? "One face" : `${answer.faces.length} faces`;
  const hidden = answer.faces.filter((face) => face.coverage > 0);
  if (!hidden.length) return `${faces}, nothing hidden. Paint over what you want filled in.`;
  const share = percent(Math.max(...hidden.map((face) => face.coverage)));
  if (answer.faces.length === 1) return `One face, ${share} of it hidden. Restore, or correct the mask first.`;
  return `${faces}, ${hidden.length} partly hidden. Restore, or correct the mask first.`;
}

function restoreWords(answer: Answer): string {
  const share = percent(answer.invented);
  const done = answer.invented > 0 ? `Restored: ${share} of the picture is invented.` : "";
  return [done, ...answer.notes].filter(Boolean).join(" ");
}
