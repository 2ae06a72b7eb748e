/** What the page asks of whoever finds and restores faces: the server, or this device. */

export interface FaceFound {
  box: [number, number, number, number];
  points: [number, number][];
  coverage: number;
}

export interface Answer {
  invented: number;
  faces: FaceFound[];
  notes: string[];
  /** White = hidden (found), or invented. */
  mask: Blob;
  /** Missing where only the mask was asked for. */
  photo?: Blob;
  samples: Blob[];
}

export interface Wish {
  photo: Blob;
  mask?: Blob | null;
  aligned?: boolean;
  detail?: number;
  samples?: number;
  seed?: number;
}

/** Told what is being done, or waited for. */
export type Say = (words: string) => void;

export interface Engine {
  /** Finds faces and what hides them. */
  segment(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer>;
  restore(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer>;
  /** How many of these samples one answer holds, of a photo of so many pixels. */
  fitting(samples: number, pixels: number): number;
}

const SENTENCES: Record<string, (detail: string) => string> = {
  "no-face": () => "No face was found. A larger or less hidden face may help.",
  "not-an-image": (detail) => `This file cannot be used: ${detail}.`,
  "too-large": (detail) => `Too large: ${detail}.`,
  "too-slow": () => "This took too long. A smaller file, or a moment later, may work.",
  "no-token": () => "The token is missing or wrong.",
  busy: () => "The server has too much to do. Try again in a moment.",
  internal: () => "Something went wrong on the server. Its log says what.",
};

/** A refusal in words that a user can act on; `kind` is the problem's name. */
export class Refusal extends Error {
  constructor(
    readonly kind: string,
    readonly detail = "",
  ) {
    super(SENTENCES[kind]?.(detail) ?? sentence(detail));
  }
}

/** A problem that the server tells, as a refusal. */
export function refusalFrom(problem: { type?: string; title?: string; detail?: string }): Refusal {
  const kind = String(problem.type).split("/").pop() ?? "";
  return new Refusal(kind, String(problem.detail ?? problem.title ?? ""));
}

function sentence(text: string): string {
  const trimmed = text.trim() || "This did not work";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** What to say of whatever went wrong. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "This did not work.";
}

/** A share as people say it. */
export function percent(share: number): string {
  const value = 100 * share;
  return value > 0 && value < 1 ? "under 1 %" : `${Math.round(value)} %`;
}
