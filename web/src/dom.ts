/** Small helpers over the document; nothing here knows what the page is for. */

/** The element of an id; a missing one is a mistake in index.html. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

export function button(id: string, press: () => void): HTMLButtonElement {
  const element = byId<HTMLButtonElement>(id);
  element.addEventListener("click", () => {
    if (element.getAttribute("aria-disabled") !== "true") press();
  });
  return element;
}

/** Says whether a button can be pressed. Not by `disabled`, which takes the keyboard from who has just pressed it. */
export function enable(id: string, can: boolean): void {
  byId(id).setAttribute("aria-disabled", String(!can));
}

export function input(id: string, change?: (element: HTMLInputElement) => void): HTMLInputElement {
  const element = byId<HTMLInputElement>(id);
  if (change) element.addEventListener("input", () => change(element));
  return element;
}

export function makeCanvas(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  return [canvas, context];
}

/** Frees a canvas's pixels now; they may wait long for a collection, which hardly counts them. */
export function freeCanvas(canvas: HTMLCanvasElement): void {
  canvas.width = canvas.height = 0;
}

export function toBlob(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("out of memory"))), "image/png");
  });
}

/** A file's bytes, held here: a file that is saved again, moved or deleted later can no longer be read. */
export async function copyOf(file: Blob): Promise<Blob> {
  return new Blob([await file.arrayBuffer()], { type: file.type });
}

/** Asks the user where to save; the browser writes it. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What a browser that blocks site data does not keep, until the page is left. */
const unkept = new Map<string, string>();

/** Keeps a word: for good, or as long as the tab is open. */
export function remember(key: string, value: string, where: "localStorage" | "sessionStorage"): void {
  try {
    window[where].setItem(key, value);
  } catch {
    unkept.set(key, value);
  }
}

export function recall(key: string, where: "localStorage" | "sessionStorage"): string | null {
  try {
    return unkept.get(key) ?? window[where].getItem(key);
  } catch {
    return null;
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
