/** One photo of the strip: its file, what was found, its mask, its result. */

import { upright } from "./device/upright";
import { copyOf, freeCanvas } from "./dom";
import type { FaceFound } from "./engine";
import type { Item, Stage } from "./item";
import { MaskLayer } from "./mask";
import { small } from "./small";

export interface Variant {
  /** As it is downloaded. */
  file: Blob;
  small: HTMLCanvasElement;
  /** Its face, to choose it by. */
  preview: HTMLCanvasElement;
}

/** Other possible faces: how many, and the seed of the first. */
export interface Others {
  samples: number;
  seed: number;
}

export interface Result extends Variant {
  /** White where invented. */
  invented: Blob;
  samples: Variant[];
  /** Of the first sample. */
  seed: number;
  /** Of the mask that it was made with. */
  revision: number;
  /** That it was made with; null: as the server has it. */
  detail: number | null;
  /** It has been downloaded. */
  saved: boolean;
}

export class Photo implements Item {
  readonly kind = "photo";
  readonly mask: MaskLayer;
  stage: Stage = "new";
  faces: FaceFound[] = [];
  /** It is known what is hidden. */
  found = false;
  result: Result | null = null;
  /** Which of the result's faces is shown: -1 the likeliest, else a sample. */
  variant = -1;
  /** Of the samples that are asked for next. */
  seed = 0;
  /** What its restoration under way is to give. */
  asked: Others | null = null;
  /** 0..1; null: as the server has it. */
  detail: number | null = null;
  /** Runs until another detail is tried; 0: none is. */
  detailTimer = 0;
  aligned = false;
  words = "";
  /** The kind of refusal that its last work ended with. */
  refusal: string | null = null;
  compare = 0.5;
  work: AbortController | null = null;
  /** A file is being made for the download. */
  preparing = false;
  /** The look that it waits for. */
  turn: object | null = null;
  /** It was taken off the strip. */
  off = false;

  constructor(
    /** Its own copy, so that it can be read as long as the photo is open. */
    readonly file: Blob,
    readonly name: string,
    readonly width: number,
    readonly height: number,
    /** A small view of it. */
    readonly picture: HTMLCanvasElement,
  ) {
    this.mask = new MaskLayer(width, height);
  }

  get subject(): FaceFound | null {
    return subjectOf(this.faces);
  }

  /** The face of the result that is shown. */
  get shown(): Variant | null {
    return this.result?.samples[this.variant] ?? this.result;
  }

  /** The other faces that it shows already, or is to show: they stay when it is restored again. */
  get others(): Others {
    if (this.stage === "restoring" && this.asked) return this.asked;
    return { samples: this.result?.samples.length ?? 0, seed: this.result?.seed ?? 0 };
  }

  get busy(): boolean {
    return this.stage === "looking" || this.stage === "restoring";
  }

  /** Not before it is known what is hidden: that would take the place of what was painted. */
  get paintable(): boolean {
    return this.found && this.stage !== "looking";
  }

  /** The mask is no longer the one that the result was made with. */
  get stale(): boolean {
    return this.result !== null && this.result.revision !== this.mask.revision;
  }

  get waits(): boolean {
    const failed = this.stage === "failed" && this.found && !this.result;
    return (this.stage === "found" || failed) && !this.mask.isEmpty();
  }

  get unsaved(): boolean {
    const painted = this.mask.edited && (!this.result || this.stale);
    return painted || this.stage === "restoring" || this.result?.saved === false;
  }

  /** No face was found, but it may be one from edge to edge. */
  get mayBeAligned(): boolean {
    const nobody = this.stage === "failed" && this.refusal === "no-face";
    return this.aligned || (nobody && this.width === this.height);
  }

  /** The detail is the one that the result has, whatever was asked for, unless another is about to be tried. */
  settleDetail(): void {
    if (this.result && !this.detailTimer) this.detail = this.result.detail;
  }

  takeOff(): void {
    this.off = true;
    this.work?.abort();
  }

  close(): void {
    freeCanvas(this.picture);
    this.dropResult();
  }

  dropResult(): void {
    this.variant = -1;
    if (!this.result) return;
    for (const each of [this.result, ...this.result.samples]) freeCanvas(each.small);
    this.result = null;
  }
}

/** The face that a photo is about: of which most is hidden, of equals the first. */
export function subjectOf(faces: FaceFound[]): FaceFound | null {
  const hidden = (one: FaceFound | null): number => one?.coverage ?? -1;
  return faces.reduce<FaceFound | null>((most, face) => (hidden(face) > hidden(most) ? face : most), null);
}

/** Decodes a file, upright, for its size and a small view.
 *
 * @throws Error in words, when the browser cannot.
 */
export async function open(file: Blob, name: string): Promise<Photo> {
  try {
    const copy = await copyOf(file);
    const bitmap = await upright(copy);
    const { width, height } = bitmap;
    const picture = small(bitmap, width, height);
    bitmap.close();
    return new Photo(copy, name, width, height, picture);
  } catch {
    throw new Error(`${name} is not a picture that this browser can open.`);
  }
}
