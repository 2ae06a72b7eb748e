/** One clip of the strip: its file, how far it is, its result. */

import { copyOf } from "./dom";
import type { Item, Stage } from "./item";
import { small } from "./small";

/** Milliseconds; a browser that cannot show a clip says so at once, but one that is busy takes its time. */
const FIRST_FRAME_WITHIN = 20_000;
// Browsers do not know all that the server takes.
const ENDINGS = /\.(mp4|m4v|mov|mkv|webm|avi)$/i;

export const CLIP_TYPES = "video/*,.mkv,.avi";

/** How far a clip is. */
export interface Progress {
  /** Null: not known. */
  share: number | null;
  words: string;
}

export interface ClipResult {
  file: Blob;
  url: string;
  /** It has been downloaded. */
  saved: boolean;
}

export class Clip implements Item {
  readonly kind = "clip";
  stage: Stage = "found";
  words = "";
  progress: Progress | null = null;
  result: ClipResult | null = null;
  compare = 0.5;
  work: AbortController | null = null;
  /** The server has it. */
  taken = false;
  /** This browser cannot play the result. */
  unplayable = false;

  constructor(
    /** Its own copy, so that it can be read as long as the clip is open. */
    readonly file: Blob,
    readonly name: string,
    /** Of the clip as it came. */
    readonly url: string,
    /** Null: this browser cannot show the clip. */
    readonly picture: HTMLCanvasElement | null,
  ) {}

  get waits(): boolean {
    return this.stage === "found";
  }

  get unsaved(): boolean {
    return this.stage === "restoring" || this.result?.saved === false;
  }

  keep(file: Blob): void {
    if (this.result) URL.revokeObjectURL(this.result.url);
    this.result = { file, url: URL.createObjectURL(file), saved: false };
  }

  takeOff(): void {
    this.work?.abort();
  }

  close(): void {
    URL.revokeObjectURL(this.url);
    if (this.result) URL.revokeObjectURL(this.result.url);
    this.result = null;
  }
}

export function isClip(file: File): boolean {
  return file.type.startsWith("video/") || ENDINGS.test(file.name);
}

/** @throws Error in words, where the file cannot be read. */
export async function openClip(file: File): Promise<Clip> {
  const name = file.name || "clip";
  const copy = await copyOf(file).catch(() => {
    throw new Error(`${name} cannot be read.`);
  });
  const url = URL.createObjectURL(copy);
  return new Clip(copy, name, url, await firstFrame(url));
}

async function firstFrame(url: string): Promise<HTMLCanvasElement | null> {
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.preload = "auto";
  video.src = url;
  try {
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = reject;
      setTimeout(reject, FIRST_FRAME_WITHIN);
    });
    return small(video, video.videoWidth, video.videoHeight);
  } catch {
    return null;
  } finally {
    video.removeAttribute("src");
    video.load(); // lets go of the file
  }
}
