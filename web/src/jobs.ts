/** What is asked for one photo: look, and restore. */

import { type Answer, type Engine, type FaceFound, percent, type Say } from "./engine";
import { opacityOf } from "./mask";
import { type Others, type Photo, subjectOf, type Variant } from "./photo";
import { preview, small } from "./small";

/** Finds faces and what hides them; fills in the photo. */
export async function look(engine: Engine, photo: Photo, signal: AbortSignal, say: Say): Promise<void> {
  photo.found = false;
  const answer = await engine.segment({ photo: photo.file, aligned: photo.aligned }, signal, say);
  const found = await opacityOf(answer.mask);
  signal.throwIfAborted();
  photo.found = true;
  photo.faces = answer.faces;
  photo.mask.find(found.data);
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
  const shown: Variant[] = [];
  for (const file of [answer.photo, ...answer.samples]) {
    shown.push(await view(photo, answer.faces, file));
    signal.throwIfAborted(); // large ones take a while
  }
  const [likeliest, ...samples] = shown;
  const variant = Math.min(photo.variant, samples.length - 1);
  photo.dropResult();
  photo.variant = variant;
  photo.seed = Math.max(photo.seed, others.seed + samples.length); // the next ones are others
  photo.faces = answer.faces;
  const { seed } = others;
  photo.result = { ...likeliest, invented: answer.mask, samples, seed, revision, detail, saved: false };
  photo.settleDetail();
  photo.words = restoreWords(answer);
}

/** One face of a result, with its small views. */
async function view({ width, height }: Photo, faces: FaceFound[], file: Blob): Promise<Variant> {
  const bitmap = await createImageBitmap(file);
  const made = { file, small: small(bitmap, width, height), preview: preview(subjectOf(faces), bitmap) };
  bitmap.close();
  return made;
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
