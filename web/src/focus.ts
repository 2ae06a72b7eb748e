/** Where the keyboard goes when what had it is taken from the page. */

import { byId } from "./dom";

/** For what lies within: who takes over, the first that is seen. */
const HEIRS: [within: string, heirs: string[]][] = [
  ["pane-mask", ["brush", "tab-result"]],
  ["pane-result", ["download", "tab-mask"]],
  ["pane-clip", ["clip-stop", "clip-download", "clip-restore"]],
];
const ANYWHERE = ["stage", "screen", "pick"];

/** Changes the page; the keyboard does not fall back to its beginning. */
export function keepFocus(change: () => void): void {
  const held = document.activeElement;
  const heirs = HEIRS.find(([within]) => byId(within).contains(held))?.[1] ?? [];
  change();
  if (!held || held === document.body || held.checkVisibility()) return;
  [...heirs, ...ANYWHERE].map((id) => byId(id)).find((element) => element.checkVisibility())?.focus();
}
