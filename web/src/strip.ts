/** The strip of photos and clips: small pictures, what each is doing, and a way to take one off. */

import { byId } from "./dom";
import type { Item, Stage } from "./item";
import { thumbnail } from "./small";

const WORDS: Record<Stage, string> = {
  new: "waiting",
  looking: "looking for faces",
  found: "ready to restore",
  restoring: "restoring",
  restored: "restored",
  failed: "not done",
};
/** Around the current one, for its frame. */
const MARGIN = 4;

export class Strip<T extends Item> {
  private readonly list = byId("strip");
  private readonly items = new Map<T, HTMLLIElement>();

  constructor(
    private readonly select: (item: T) => void,
    /** Told whether it was by the keyboard. */
    private readonly remove: (item: T, byKeyboard: boolean) => void,
  ) {}

  /** @param at how many come before it. */
  add(item: T, at: number): void {
    const entry = document.createElement("li");
    entry.dataset.kind = item.kind;
    const choose = document.createElement("button");
    choose.type = "button";
    choose.className = "thumb";
    choose.append(item.picture ? thumbnail(item.picture) : film());
    choose.addEventListener("click", () => this.select(item));
    const close = document.createElement("button");
    close.type = "button";
    close.className = "thumb-close";
    close.setAttribute("aria-label", `Take ${item.name} off`);
    close.innerHTML = '<svg aria-hidden="true"><use href="#i-close"/></svg>';
    // A press of a key is a click of no pointer.
    close.addEventListener("click", ({ detail }) => this.remove(item, detail === 0));
    entry.append(choose, close);
    this.list.insertBefore(entry, this.list.children[at] ?? null);
    this.items.set(item, entry);
  }

  drop(item: T): void {
    this.items.get(item)?.remove();
    this.items.delete(item);
  }

  update(item: T, current: boolean): void {
    const entry = this.items.get(item);
    const choose = entry?.querySelector<HTMLButtonElement>(".thumb");
    if (!entry || !choose) return;
    entry.dataset.stage = item.stage;
    choose.setAttribute("aria-label", `${item.name}: ${WORDS[item.stage]}`);
    choose.title = `${item.name}: ${WORDS[item.stage]}`;
    if (!current) choose.removeAttribute("aria-current");
    else if (!choose.hasAttribute("aria-current")) {
      choose.setAttribute("aria-current", "true");
      this.scrollTo(entry);
    }
  }

  /** Not by `scrollIntoView`, which may scroll the page too. */
  private scrollTo({ offsetLeft, offsetWidth }: HTMLElement): void {
    const { clientWidth, scrollLeft } = this.list;
    const [left, right] = [offsetLeft - MARGIN, offsetLeft + offsetWidth + MARGIN];
    this.list.scrollLeft = Math.min(left, Math.max(scrollLeft, right - clientWidth));
  }
}

/** Stands for a clip that this browser cannot show. */
function film(): SVGElement {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("aria-hidden", "true");
  icon.innerHTML = '<use href="#i-film"/>';
  return icon;
}
