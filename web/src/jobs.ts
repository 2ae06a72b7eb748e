/** What is asked for one photo: look, and restore. */

import { makeCanvas } from "./dom";
import { type Answer, type Engine, percent, type Say } from "./engine";
import { drawMask } from "./mask";
import type { Others, Photo, Variant } from "./photo";

/** Finds faces and what hides them; fills in the photo. */
export async function look(engine: Engine, photo: Photo, signal: AbortSignal, say: Say): Promise<void> {
  photo.found?.close();
  photo.found = null;
  const answer = await engine.segment({ photo: photo.file, aligned: photo.aligned }, signal, say);
  const [found] = await decode([answer.mask], signal);
  photo.found = found;
  photo.faces = answer.faces;
  photo.mask.find(found);
  photo.words = lookWords(answer);
}

/** Restores with the mask as it is now; with other possible faces, if any are asked for. */
export async function restore(
  engine: Engine,
  photo: Photo,
  others: Others,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  photo.mask.settle(); // what a stroke adds from here on is not in the result
  const { revision, edited } = photo.mask;
  const { detail } = photo;
  // A mask that nobody changed need not travel: the same one is found again.
  const mask = edited ? await photo.mask.toFile() : null;
  const wish = {
    photo: photo.file,
    mask,
    aligned: photo.aligned,
    detail: detail ?? undefined,
    samples: engine.fitting(others.samples, photo.width * photo.height),
    seed: others.seed,
  };
  const answer = await engine.restore(wish, signal, say);
  if (!answer.photo) throw new Error("the answer has no picture");
  const [after, invented, ...drawn] = await decode([answer.photo, answer.mask, ...answer.samples], signal);
  const [layer, context] = makeCanvas(photo.width, photo.height);
  drawMask(context, invented);
  invented.close();
  const samples: Variant[] = drawn.map((after, i) => ({ after, file: answer.samples[i] }));
  const variant = Math.min(photo.variant, samples.length - 1);
  photo.dropResult();
  photo.variant = variant;
  photo.seed = Math.max(photo.seed, others.seed + samples.length); // the next ones are others
  photo.faces = answer.faces;
  const { seed } = others;
  photo.result = { after, file: answer.photo, invented: layer, samples, seed, revision, detail, saved: false };
  photo.settleDetail();
  photo.words = restoreWords(answer);
}

/** Pictures in order; none, once nobody wants them any more: large ones take a while. */
async function decode(files: Blob[], signal: AbortSignal): Promise<ImageBitmap[]> {
  const opened: ImageBitmap[] = [];
  try {
    for (const file of files) {
      opened.push(await createImageBitmap(file));
      signal.throwIfAborted();
    }
  } catch (error) {
    for (const each of opened) each.close();
    throw error;
  }
  return opened;
}

/** A small picture of one of several results. */
export function preview(photo: Photo, after: ImageBitmap, side: number): HTMLCanvasElement {
  const [canvas, context] = makeCanvas(side, side);
  const box = photo.subject?.box ?? [0, 0, photo.width, photo.height];
  const size = Math.max(box[2] - box[0], box[3] - box[1]) * 1.15;
  const left = (box[0] + box[2] - size) / 2;
  const top = (box[1] + box[3] - size) / 2;
  context.imageSmoothingQuality = "high";
  context.drawImage(after, left, top, size, size, 0, 0, side, side);
  return canvas;
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
