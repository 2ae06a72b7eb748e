/** What went wrong, in words, over the page until it is closed or something else is begun. */

import { button, byId } from "./dom";
import { keepFocus } from "./focus";

const toast = byId("error");
button("error-close", hideError);
document.addEventListener("keydown", (event) => {
  // A dialog is closed first.
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) hideError();
});

export function fail(words: string): void {
  byId("error-text").textContent = words;
  toast.hidden = false;
}

export function hideError(): void {
  keepFocus(() => {
    toast.hidden = true;
  });
}
