/** The service's API. Errors become sentences; a busy server is asked again. */

import { recall, remember } from "./dom";
import { type Answer, type Engine, type FaceFound, Refusal, refusalFrom, type Say, type Wish } from "./engine";

interface Picture {
  type: string;
  data: string;
}

/** What the server answers, where pictures are text. */
interface Described {
  invented: number;
  faces: FaceFound[];
  notes: string[];
  mask: Picture;
  photo?: Picture;
  samples?: Picture[];
}

export interface ServerInfo {
  version: string;
  default: string;
  /** A model without a prior has one answer only, and no choice of detail. */
  models: { name: string; prior: boolean; fingerprint: string }[];
  /** What is taken where nobody asks for another. */
  detail: number;
  limits: {
    megabytes: number;
    faces: number;
    samples: number;
    /** Of a photo and its samples together. */
    answer_megapixels: number;
    /** 0: this server takes no clips. */
    clip_frames: number;
  };
  /** Whether it has what a browser needs to do all of it by itself. */
  in_browser: boolean;
  /** Whether that holds for its graphics card too. */
  webgpu: boolean;
}

/** How far a clip is that was handed in. */
export interface ClipState {
  id: string;
  state: "waiting" | "working" | "done" | "failed";
  done: number;
  total?: number;
  invented?: number;
  damaged?: number;
  cut_off?: number;
  problem?: { type: string; detail: string };
}

const TRIES = 5;
/** What a gateway answers that finds no server behind it. */
const NOBODY = [502, 503, 504];
const TOKEN = "unveil-token";

/** Gives the token; told whether the one before was refused. */
export type Asker = (refused: boolean) => Promise<string>;

export class Api implements Engine {
  /** Of a photo and its samples together, once the server has said. */
  private answerPixels = Infinity;

  constructor(private readonly askToken: Asker) {}

  async info(): Promise<ServerInfo> {
    const info: ServerInfo = await whole(this.fetch("v1/models", {}), (response) => response.json());
    this.answerPixels = 1e6 * info.limits.answer_megapixels;
    return info;
  }

  fitting(samples: number, pixels: number): number {
    return Math.min(samples, Math.max(1, Math.floor(this.answerPixels / pixels) - 1));
  }

  /** A file of a model: one of its networks, its prior, or the detector. */
  async weights(model: string, role: string): Promise<Blob> {
    const path = `v1/models/${encodeURIComponent(model)}/${role}`;
    return whole(this.fetch(path, {}), (response) => response.blob());
  }

  async segment(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer> {
    return whole(this.fetch("v1/segment", { body: form(wish), signal }, say), answer);
  }

  async restore(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer> {
    return whole(this.fetch("v1/restore", { body: form(wish), signal }, say), answer);
  }

  /** Hands in a clip: nothing is known yet but its number.
   *
   * The signal ends the waiting for a busy server, and nothing else: who has sent a clip must hear
   * its number to give it up.
   */
  async handIn(clip: Blob, signal: AbortSignal, say: Say): Promise<ClipState> {
    const body = new FormData();
    body.append("clip", clip, "clip");
    return whole(this.fetch("v1/video", { body }, say, signal), (response) => response.json());
  }

  async clipState(number: string, signal: AbortSignal): Promise<ClipState> {
    return whole(this.fetch(`v1/video/${number}`, { signal }), (response) => response.json());
  }

  /** The restored clip, which the server then forgets. */
  async clipResult(number: string, signal: AbortSignal): Promise<Blob> {
    return whole(this.fetch(`v1/video/${number}/result`, { signal }), (response) => response.blob());
  }

  /** Tells the server that nobody waits for a clip any more; also while the page is being left. */
  async giveUp(number: string): Promise<void> {
    await this.fetch(`v1/video/${number}`, { method: "DELETE", keepalive: true });
  }

  private async fetch(
    path: string,
    init: RequestInit,
    say: Say = () => undefined,
    patience = init.signal,
  ): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const token = recall(TOKEN, "sessionStorage");
      const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
      let response: Response;
      try {
        response = await fetch(path, { method: init.body ? "POST" : "GET", ...init, headers });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        throw unreachable();
      }
      if (response.ok) return response;
      const refusal = await refusalOf(response);
      if (refusal.kind === "no-token") {
        // Another request may have been given one while this one was on its way.
        const given = recall(TOKEN, "sessionStorage") !== token;
        if (!given) remember(TOKEN, await this.askToken(token !== null), "sessionStorage");
        attempt--;
      } else if (["busy", "not-ready"].includes(refusal.kind) && attempt < TRIES) {
        const seconds = Number(response.headers.get("Retry-After")) || 1;
        say(`The server is busy; trying again in ${seconds} s.`);
        await pause(seconds * 1000, patience);
        say("Trying again…");
      } else {
        throw refusal;
      }
    }
  }
}

function form(wish: Wish): FormData {
  const data = new FormData();
  // Without its name: the server has no need to know it.
  data.append("photo", wish.photo, "photo");
  if (wish.mask) data.append("mask", wish.mask, "mask.png");
  if (wish.aligned) data.append("aligned", "true");
  if (wish.detail !== undefined) data.append("detail", String(wish.detail));
  if (wish.samples) data.append("samples", String(wish.samples));
  if (wish.seed) data.append("seed", String(wish.seed));
  data.append("format", "json");
  return data;
}

function unreachable(): Refusal {
  return new Refusal("offline", "The server cannot be reached. Is it still running?");
}

/** What is read of an answer.
 *
 * @throws Refusal, where it breaks off, or is not the server's: a network that asks to log in answers, too.
 */
async function whole<T>(asked: Promise<Response>, read: (response: Response) => Promise<T>): Promise<T> {
  const response = await asked;
  try {
    return await read(response);
  } catch (error) {
    if (error instanceof TypeError) throw unreachable();
    if (error instanceof SyntaxError) throw new Refusal("unknown", "The server's answer cannot be read.");
    throw error;
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    return refusalFrom(await response.json());
  } catch {
    const kind = NOBODY.includes(response.status) ? "offline" : "unknown";
    return new Refusal(kind, `The server answered ${response.status}.`);
  }
}

export function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function answer(response: Response): Promise<Answer> {
  const { mask, photo, samples, ...rest }: Described = await response.json();
  return { ...rest, mask: blob(mask), photo: photo && blob(photo), samples: (samples ?? []).map(blob) };
}

function blob(picture: Picture): Blob {
  const text = atob(picture.data);
  const bytes = new Uint8Array(text.length);
  // `Uint8Array.from` takes seconds for a large photo, and nothing else moves meanwhile.
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Blob([bytes], { type: picture.type });
}
