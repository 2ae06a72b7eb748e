/** The service's API. Errors become sentences; a busy server is asked again. */

export interface Picture {
  type: string;
  data: string;
}

export interface FaceFound {
  box: [number, number, number, number];
  points: [number, number][];
  coverage: number;
  confidence?: number | null;
}

export interface Answer {
  model: string;
  width: number;
  height: number;
  invented: number;
  faces: FaceFound[];
  notes: string[];
  mask: Picture;
  photo?: Picture;
  confidence?: Picture;
  samples?: Picture[];
}

export interface ServerInfo {
  default: string;
  /** A model without a prior has one answer only, and no choice of detail. */
  models: { name: string; prior: boolean }[];
  limits: { megabytes: number; megapixels: number; samples: number };
}

export interface Wish {
  photo: Blob;
  mask?: Blob | null;
  aligned?: boolean;
  detail?: number;
  samples?: number;
  seed?: number;
  overlay?: boolean;
}

/** A refusal in words that a user can act on; `kind` is the problem's name. */
export class Refusal extends Error {
  constructor(
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

/** What to say of whatever went wrong. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "This did not work.";
}

const SENTENCES: Record<string, (detail: string) => string> = {
  "no-face": () => "No face was found. A larger or less hidden face may help.",
  "not-an-image": (detail) => `This file cannot be used: ${detail}.`,
  "too-large": (detail) => `Too large: ${detail}.`,
  "too-slow": () => "This took too long. A smaller photo, or a moment later, may work.",
  "no-token": () => "The token is missing or wrong.",
  busy: () => "The server has too much to do. Try again in a moment.",
  internal: () => "Something went wrong on the server. Its log says what.",
};
const TRIES = 5;
const TOKEN = "unveil-token";

export type Asker = () => Promise<string>;

export class Api {
  constructor(
    private readonly askToken: Asker,
    private readonly say: (text: string) => void,
  ) {}

  async info(): Promise<ServerInfo> {
    return (await this.fetch("v1/models", {})).json();
  }

  async segment(wish: Wish, signal: AbortSignal): Promise<Answer> {
    return (await this.fetch("v1/segment", { body: form(wish, "json"), signal })).json();
  }

  async restore(wish: Wish, signal: AbortSignal): Promise<Answer> {
    return (await this.fetch("v1/restore", { body: form(wish, "json"), signal })).json();
  }

  /** The restored picture as a file. */
  async picture(wish: Wish, signal: AbortSignal): Promise<Blob> {
    return (await this.fetch("v1/restore", { body: form(wish, "png"), signal })).blob();
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const token = sessionStorage.getItem(TOKEN);
      const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
      let response: Response;
      try {
        response = await fetch(path, { method: init.body ? "POST" : "GET", ...init, headers });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        throw new Refusal("offline", "The server cannot be reached. Is it still running?");
      }
      if (response.ok) return response;
      const refusal = await refusalOf(response);
      if (refusal.kind === "no-token") {
        sessionStorage.setItem(TOKEN, await this.askToken());
        attempt--;
      } else if (["busy", "not-ready"].includes(refusal.kind) && attempt < TRIES) {
        const seconds = Number(response.headers.get("Retry-After")) || 1;
        this.say(`The server is busy; trying again in ${seconds} s.`);
        await pause(seconds * 1000, init.signal);
      } else {
        throw refusal;
      }
    }
  }
}

function form(wish: Wish, format: string): FormData {
  const data = new FormData();
  // Without its name: the server has no need to know it.
  data.append("photo", wish.photo, "photo");
  if (wish.mask) data.append("mask", wish.mask, "mask.png");
  if (wish.aligned) data.append("aligned", "true");
  if (wish.detail !== undefined) data.append("detail", String(wish.detail));
  if (wish.samples) data.append("samples", String(wish.samples));
  if (wish.seed) data.append("seed", String(wish.seed));
  if (wish.overlay) data.append("overlay", "true");
  data.append("format", format);
  return data;
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const problem = await response.json();
    const kind = String(problem.type).split("/").pop() ?? "";
    const detail = String(problem.detail ?? problem.title ?? "");
    return new Refusal(kind, SENTENCES[kind]?.(detail) ?? sentence(detail));
  } catch {
    return new Refusal("unknown", `The server answered ${response.status}.`);
  }
}

function sentence(text: string): string {
  const trimmed = text.trim() || "This did not work";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** The bitmap of a picture inside an answer, and its file. */
export async function decode(picture: Picture): Promise<[ImageBitmap, Blob]> {
  const bytes = Uint8Array.from(atob(picture.data), (c) => c.charCodeAt(0));
  const blob = new Blob([bytes], { type: picture.type });
  return [await createImageBitmap(blob), blob];
}
