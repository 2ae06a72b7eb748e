/** Photos on the page: looked at one after the other, restored, downloaded. */

import { save } from "./dom";
import { type Engine, Refusal, wordsOf } from "./engine";
import { look, restore } from "./jobs";
import { marked } from "./marked";
import { opacityOf } from "./mask";
import type { Others, Photo } from "./photo";
import { fail, hideError } from "./toast";

export interface PhotoEvents {
  /** Something of a photo has changed that the page shows. */
  changed(): void;
  /** What is being done for it, in words. */
  said(photo: Photo): void;
  /** Its work has ended with a refusal. */
  failed(photo: Photo): void;
  /** Who does the work, as soon as that is known. */
  engine(): Promise<Engine>;
}

/** Why work is ended that is to be done elsewhere. */
const MOVED = "moved";
const LOOKING = "Looking for faces…";
const TRY_DETAIL_AFTER = 250; // milliseconds

export class Photos {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly events: PhotoEvents) {}

  /** One photo after the other, so that the one on the stage is not kept waiting by all others. */
  lookAt(photo: Photo): void {
    photo.work?.abort(); // what was being done counts no more
    photo.stage = "looking";
    photo.words = LOOKING;
    this.events.changed();
    const turn = (photo.turn = {});
    this.queue = this.queue.then(async () => {
      // Whoever asks again waits once.
      if (photo.turn === turn) await this.work(photo, "found", LOOKING, look);
    });
  }

  /** Settles when all are looked at that wait for it now. */
  async settled(): Promise<void> {
    await this.queue;
  }

  /** A photo that was taken off is back: what was being done for it begins anew. */
  resume(photo: Photo): void {
    photo.off = false;
    if (photo.stage === "looking") this.lookAt(photo);
    else if (photo.stage === "restoring" && photo.asked) void this.restore(photo, photo.asked);
  }

  /** Photos are worked on elsewhere from now on: what is being done begins anew there, and so does what
   * may not fail there. */
  moved(photo: Photo): void {
    const failed = photo.stage === "failed" && !photo.found;
    if (photo.busy) photo.work?.abort(MOVED);
    else if (failed && photo.refusal !== "no-face") this.lookAt(photo);
  }

  /** Restores with the mask as it is now; whether it was done. */
  async restore(photo: Photo, others: Others): Promise<boolean> {
    hideError();
    photo.mask.settle(); // a stroke that goes on counts as far as it is drawn
    if (photo.mask.isEmpty()) {
      photo.settleDetail();
      this.events.changed();
      fail("Nothing is marked. Paint over what hides the face, then restore.");
      return false;
    }
    photo.stage = "restoring";
    photo.asked = others;
    const job: typeof look = (engine, _, signal, say) => restore(engine, photo, others, signal, say);
    return this.work(photo, "restored", "Restoring…", job);
  }

  /** Restores again with another detail, as soon as the slider rests. */
  tryDetail(photo: Photo, detail: number): void {
    photo.detail = detail;
    this.events.changed();
    clearTimeout(photo.detailTimer);
    photo.detailTimer = window.setTimeout(() => {
      photo.detailTimer = 0;
      // What is being found is restored with it later.
      if (photo.result && photo.stage !== "looking") void this.restore(photo, photo.others);
    }, TRY_DETAIL_AFTER);
  }

  /** Runs a piece of work of a photo and says how it ended; whether it was done. */
  private async work(photo: Photo, then: Photo["stage"], doing: string, job: typeof look): Promise<boolean> {
    if (photo.off) return false;
    // A new piece of work ends the one before it.
    photo.work?.abort();
    const { signal } = (photo.work = new AbortController());
    photo.words = doing;
    this.events.changed();
    let done = false;
    try {
      const engine = await this.events.engine();
      signal.throwIfAborted();
      await job(engine, photo, signal, (words) => {
        if (signal.aborted) return; // it is about what others still wait for
        photo.words = words;
        this.events.said(photo);
      });
      photo.stage = then;
      photo.refusal = null;
      done = true;
    } catch (error) {
      if (signal.reason === MOVED) return this.work(photo, then, doing, job);
      // Another piece of work has taken its place, or the photo is gone.
      if (signal.aborted) return false;
      photo.stage = "failed";
      photo.settleDetail();
      photo.refusal = error instanceof Refusal ? error.kind : "failed";
      photo.words = wordsOf(error);
      if (photo.mayBeAligned && !photo.aligned) {
        photo.words += " If the whole picture is one aligned face, say so below.";
      }
      this.events.failed(photo);
    }
    this.events.changed();
    return done;
  }

  /** The face that is shown as a file, with what is invented tinted if that is wanted. */
  async download(photo: Photo, tinted: boolean): Promise<void> {
    const { result, shown } = photo;
    if (!result || !shown) return;
    hideError();
    const name = photo.name.replace(/\.[^.]*$/, "");
    photo.preparing = tinted;
    this.events.changed();
    try {
      if (tinted) save(await marked(shown.file, await opacityOf(result.invented)), `${name}.marked.png`);
      else save(shown.file, `${name}.restored.png`);
      result.saved = true;
    } catch (error) {
      fail(wordsOf(error));
    }
    photo.preparing = false;
    this.events.changed();
  }
}
