/** One photo of the strip: its file, what was found, its mask, its result. */

import type { FaceFound } from "./engine";
import type { Item, Stage } from "./item";
import { MaskLayer } from "./mask";

export interface Result {
  after: ImageBitmap;
  /** Opaque where invented. */
  invented: HTMLCanvasElement;
  /** As it is downloaded. */
  file: Blob;
  share: number;
  samples: Variant[];
}

export interface Variant {
  after: ImageBitmap;
  file: Blob;
}

export class Photo implements Item {
  readonly kind = "photo";
  readonly mask: MaskLayer;
  stage: Stage = "new";
  faces: FaceFound[] = [];
  /** What was found, to go back to. */
  found: ImageBitmap | null = null;
  result: Result | null = null;
  /** Which of the result's faces is shown: -1 the likeliest, else a sample. */
  variant = -1;
  /** Of the samples that are asked for next, and of the first one shown. */
  seed = 0;
  shownSeed = 0;
  /** The mask has changed since the result was made. */
  stale = false;
  aligned = false;
  words = "";
  compare = 0.5;
  work: AbortController | null = null;

  constructor(
    readonly file: Blob,
    readonly name: string,
    readonly before: ImageBitmap,
  ) {
    this.mask = new MaskLayer(before.width, before.height);
  }

  get picture(): ImageBitmap {
    return this.before;
  }

  get width(): number {
    return this.before.width;
  }

  get height(): number {
    return this.before.height;
  }

  get after(): ImageBitmap | null {
    if (!this.result) return null;
    return this.result.samples[this.variant]?.after ?? this.result.after;
  }

  get afterFile(): Blob | null {
    if (!this.result) return null;
    return this.result.samples[this.variant]?.file ?? this.result.file;
  }

  /** Ends its work and frees its pictures. */
  close(): void {
    this.work?.abort();
    this.before.close();
    this.found?.close();
    this.dropResult();
  }

  dropResult(): void {
    this.result?.after.close();
    for (const sample of this.result?.samples ?? []) sample.after.close();
    this.result = null;
    this.variant = -1;
  }
}

/** Decodes a file, upright.
 *
 * @throws Error in words, when the browser cannot.
 */
export async function open(file: Blob, name: string): Promise<Photo> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(`${name} is not a picture that this browser can open.`);
  }
  return new Photo(file, name, bitmap);
}
