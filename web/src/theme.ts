/** Colours as the system has them, light, or dark. */

import { byId, recall, remember } from "./dom";

const ORDER = ["auto", "light", "dark"] as const;
const WORDS = { auto: "as the system", light: "light", dark: "dark" };
const KEY = "unveil-theme";

export function setUpTheme(changed: () => void): void {
  const toggle = byId<HTMLButtonElement>("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = recall(KEY, "localStorage");
  let chosen = ORDER.find((name) => name === kept) ?? "auto";

  const apply = (): void => {
    const dark = chosen === "dark" || (chosen === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    toggle.setAttribute("aria-label", `Colours: ${WORDS[chosen]}`);
    toggle.title = `Colours: ${WORDS[chosen]}`;
    changed();
  };
  toggle.addEventListener("click", () => {
    chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
    remember(KEY, chosen, "localStorage");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
