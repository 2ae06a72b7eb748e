/** What was taken off the strip: it can be brought back as it was, until the message about it has gone. */

import { button, byId } from "./dom";
import { keepFocus } from "./focus";
import type { Item } from "./item";

/** Milliseconds; as many again as long as the pointer or the keyboard is on the message. */
const STAYS = 20_000;

export class TakenOff<T extends Item> {
  private readonly toast = byId("gone");
  private held: [item: T, at: number][] = [];
  private timer = 0;

  /** @param back puts an item where it was in the strip. */
  constructor(private readonly back: (item: T, at: number) => void) {
    button("bring-back", () => this.bringBack());
    button("gone-close", () => this.letGo());
  }

  /** What can still be brought back. */
  get items(): T[] {
    return this.held.map(([item]) => item);
  }

  hold(item: T, at: number): void {
    item.takeOff();
    this.held.push([item, at]);
    this.show();
  }

  /** The last of them first. */
  private bringBack(): void {
    const last = this.held.pop();
    if (last) this.back(...last);
    this.show();
  }

  private letGo(): void {
    for (const [item] of this.held) item.close();
    this.held = [];
    this.show();
  }

  private show(): void {
    const last = this.held.at(-1)?.[0];
    const more = this.held.length - 1;
    if (last) byId("gone-text").textContent = `${last.name}${more ? ` and ${more} more` : ""} taken off.`;
    keepFocus(() => {
      this.toast.hidden = !last;
    });
    this.wait();
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (!this.held.length) return;
    const used = (): boolean => this.toast.matches(":hover, :focus-within");
    this.timer = window.setTimeout(() => (used() ? this.wait() : this.letGo()), STAYS);
  }
}
