/** Keys, paste and drop, wherever on the page they happen. */

import { byId } from "./dom";

export interface Wishes {
  isOpen(): boolean;
  files(files: File[]): void;
  tool(erase: boolean): void;
  resize(by: number): void;
  history(step: "undo" | "redo"): void;
  restore(): void;
}

const STEP = 6;
/** Where letters and brackets are for the brush: elsewhere they may be typed, or spoken, for something else. */
const BRUSH = "#stage, .zoom, #panel";

export function listen(wishes: Wishes): void {
  document.addEventListener("keydown", (event) => key(event, wishes));
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) wishes.files(files);
  });
  let depth = 0; // enter and leave are told of every element on the way
  const drag = (change: number) => (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  document.addEventListener("dragenter", drag(1));
  document.addEventListener("dragleave", drag(-1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dragging");
    wishes.files([...(event.dataTransfer?.files ?? [])]);
  });
}

/** Text that is dragged about is no concern of the page. */
function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

function key(event: KeyboardEvent, wishes: Wishes): void {
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest("dialog") || !wishes.isOpen()) return;
  const name = event.key.toLowerCase();
  const brush = target === document.body || target.closest(BRUSH) !== null;
  // Windows says Ctrl of AltGr.
  const control = (event.ctrlKey && !event.getModifierState("AltGraph")) || event.metaKey;
  if (brush && !control && (name === "[" || name === "]")) {
    // With whatever else a keyboard needs for them: AltGr, or Option.
    wishes.resize(name === "]" ? STEP : -STEP);
  } else if (control) {
    if (name !== "z" && name !== "y") return;
    event.preventDefault();
    wishes.history(name === "y" || event.shiftKey ? "redo" : "undo");
  } else if (event.altKey) {
    return;
  } else if (brush && (name === "b" || name === "e")) {
    wishes.tool(name === "e");
  } else if (name === "enter" && ["stage", "screen"].some((id) => document.activeElement === byId(id))) {
    wishes.restore();
  }
}
