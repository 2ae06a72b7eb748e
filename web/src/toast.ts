/** What went wrong, in words, over the page until it is closed. */

import { button, byId } from "./dom";

const toast = byId("error");
button("error-close", hideError);

export function fail(words: string): void {
  byId("error-text").textContent = words;
  toast.hidden = false;
}

export function hideError(): void {
  toast.hidden = true;
}
