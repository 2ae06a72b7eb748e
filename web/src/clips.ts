/** Clips on the page: opened, restored one after the other, shown with what can be done with them. */

import type { Api } from "./api";
import { type Clip, CLIP_TYPES, openClip } from "./clip";
import { restoreClip } from "./clip-job";
import { showShare } from "./compare";
import { button, byId, input, save } from "./dom";
import { wordsOf } from "./engine";
import { Player } from "./player";
import { fail, hideError } from "./toast";

export interface ClipEvents {
  /** Something of a clip has changed that the page shows. */
  changed(): void;
  /** Why clips cannot be restored where photos are worked on now; null: they can. */
  hindrance(): string | null;
}

export class Clips {
  private readonly player: Player;
  private shown: Clip | null = null;
  private queue: Promise<void> = Promise.resolve();
  /** Null: the server takes no clips; the most bytes of one. */
  private most: number | null = null;

  constructor(
    private readonly api: Api,
    private readonly events: ClipEvents,
  ) {
    this.player = new Player({
      compared: (share) => this.compare(share),
      unplayable: (clip) => {
        clip.unplayable = true;
        events.changed();
      },
    });
    button("clip-restore", () => this.shown && void this.restore(this.shown));
    button("clip-stop", () => this.shown && this.stop(this.shown));
    button("clip-download", () => this.download());
    input("clip-compare", (element) => this.compare(Number(element.value) / 100));
  }

  /** What the server takes; the page invites no clips where it takes none. */
  offer(frames: number, megabytes: number): void {
    if (!frames) return;
    this.most = 1e6 * megabytes;
    byId<HTMLInputElement>("file").accept += `,${CLIP_TYPES}`;
    byId("pick-words").textContent = "Choose photos or clips";
    for (const name of ["aria-label", "title"]) byId("add").setAttribute(name, "Add photos or clips");
    byId("lead").textContent = "A mask, sunglasses, a hand. Drop a photo or a short clip here, or paste one.";
  }

  /** @throws Error in words, where this server would not take it. */
  async open(file: File): Promise<Clip> {
    if (this.most === null) throw new Error(`This server takes no clips, so ${file.name} was left out.`);
    if (file.size > this.most) {
      const [size, most] = [file.size, this.most].map((bytes) => Math.round(bytes / 1e6));
      throw new Error(`${file.name} has ${size} MB; this server takes clips of at most ${most} MB.`);
    }
    return openClip(file);
  }

  /** Restores a clip when those before it are done; nobody waits for the end but the clip. */
  restore(clip: Clip): Promise<void> {
    const hindrance = this.events.hindrance();
    hideError();
    if (hindrance) fail(hindrance);
    if (hindrance || clip.stage === "restoring" || clip.result) return Promise.resolve();
    const work = new AbortController();
    clip.work = work;
    clip.taken = false;
    clip.stage = "restoring";
    clip.words = "Restoring the clip…";
    clip.progress = { share: null, words: "Waiting: another clip of yours comes first." };
    this.events.changed();
    this.queue = this.queue.then(() => this.work(clip, work.signal));
    return this.queue;
  }

  private async work(clip: Clip, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (this.events.hindrance()) {
      this.leave(clip, "");
      return;
    }
    try {
      await restoreClip(this.api, clip, signal, () => clip === this.shown && this.showProgress(clip));
      clip.stage = "restored";
    } catch (error) {
      if (signal.aborted) return;
      clip.stage = "failed";
      clip.words = wordsOf(error);
      if (clip === this.shown) fail(clip.words);
    }
    clip.progress = null;
    this.events.changed();
    if (clip === this.shown && clip.result) this.player.begin();
  }

  /** Photos are worked on elsewhere from now on: where clips cannot be, none is sent any more. */
  moved(clip: Clip): void {
    if (clip.stage === "restoring" && !clip.taken && this.events.hindrance()) this.leave(clip, "");
  }

  /** A clip that was taken off is back: what was being done for it begins anew. */
  resume(clip: Clip): void {
    if (clip.stage !== "restoring") return;
    clip.stage = "found";
    void this.restore(clip);
  }

  private stop(clip: Clip): void {
    this.leave(clip, clip.taken ? "Stopped. The server has forgotten the clip." : "Stopped.");
  }

  private leave(clip: Clip, words: string): void {
    clip.work?.abort();
    clip.stage = "found";
    clip.words = words;
    clip.progress = null;
    this.events.changed();
  }

  /** Shows a clip on the stage and in the panel; null: a photo is shown. */
  show(clip: Clip | null): void {
    this.shown = clip;
    this.player.show(clip);
    if (!clip) return;
    const busy = clip.stage === "restoring";
    byId("screen").setAttribute("aria-label", `Clip ${clip.name}`);
    byId("clip-progress").hidden = byId("clip-stop").hidden = !busy;
    byId("clip-restore").hidden = busy || clip.result !== null;
    byId("clip-restore").textContent = clip.stage === "failed" ? "Try again" : "Restore";
    byId("clip-result").hidden = clip.result === null;
    byId("clip-compare-row").hidden = clip.picture === null;
    this.showProgress(clip);
    showShare("clip-compare", clip.compare);
  }

  /** What the status line says of it. */
  wordsFor(clip: Clip): string {
    const usual = this.events.hindrance() ?? "A clip. The server restores it and forgets it once it is here.";
    const more = clip.unplayable ? " This browser cannot play it; the download is whole." : "";
    return (clip.words || usual) + more;
  }

  /** Not in the status line, which is read aloud: that would be each second. */
  private showProgress({ progress }: Clip): void {
    const bar = byId<HTMLProgressElement>("clip-bar");
    if (progress?.share == null) bar.removeAttribute("value");
    else bar.value = progress.share;
    byId("clip-far").textContent = progress?.words ?? "";
  }

  private compare(share: number): void {
    if (!this.shown) return;
    this.shown.compare = share;
    this.player.show(this.shown);
    showShare("clip-compare", share);
  }

  private download(): void {
    const clip = this.shown;
    if (!clip?.result) return;
    hideError();
    save(clip.result.file, `${clip.name.replace(/\.[^.]*$/, "")}.restored.mp4`);
    clip.result.saved = true;
  }
}
