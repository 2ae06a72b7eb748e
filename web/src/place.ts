/** Where photos are worked on: by the server, or on this device. Remembered, and always said. */

import { button, byId, recall, remember } from "./dom";

export type Place = "server" | "device";

const KEY = "unveil-place";
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

export class PlaceSwitch {
  private place: Place = recall(KEY, "localStorage") === "device" ? "device" : "server";
  private offered: boolean | null = null;
  private processor = "";

  constructor(changed: () => void) {
    for (const place of ["server", "device"] as const) {
      button(`on-${place}`, () => {
        if (place === this.current) return;
        remember(KEY, place, "localStorage");
        this.place = place;
        this.show();
        changed();
      });
    }
    this.show();
  }

  get current(): Place {
    return this.offered ? this.place : "server";
  }

  /** Whether photos are to stay here, but whether they can is not known yet. */
  get unknown(): boolean {
    return this.offered === null && this.place === "device";
  }

  /** Whether the server has what a device needs. In words, if that changes where photos go. */
  offer(offered: boolean): string | null {
    this.offered = offered;
    this.show();
    if (offered || this.place === "server") return null;
    return "This server has nothing for this device to run. Photos now go to the server, not as you chose before.";
  }

  /** Under the buttons of the start, or under the tools of a photo. */
  moveTo(host: HTMLElement): void {
    const block = byId("place");
    if (block.parentElement !== host) host.append(block);
  }

  /** What the networks run on here, in words. */
  runsOn(words: string): void {
    this.processor = words;
    this.show();
  }

  private show(): void {
    byId("where").hidden = this.offered !== true;
    for (const place of ["server", "device"] as const) {
      byId(`on-${place}`).setAttribute("aria-pressed", String(this.current === place));
    }
    byId("privacy").textContent = this.words();
  }

  private words(): string {
    if (this.current === "device") {
      const words = "Photos never leave this browser. The networks come from the server, once.";
      return this.processor ? `${words} They run here: ${this.processor}.` : words;
    }
    return LOCAL.includes(location.hostname)
      ? "Photos stay on this machine, and none is kept."
      : "Photos go to this server only, and none is kept.";
  }
}
