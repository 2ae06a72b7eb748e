/** What is asked for one clip: handed in, asked about, fetched. */

import { type Api, type ClipState, pause } from "./api";
import type { Clip } from "./clip";
import { percent, Refusal, refusalFrom } from "./engine";

const ASK_EVERY = 700;
/** A connection that is lost for a while is no reason to lose the work of minutes. */
const LOST_AFTER = 120_000;
const SURE_AFTER = 2000;

type Tell = (words: string, share?: number | null) => void;

/** Has the server restore the clip; `changed` is called whenever there is something to say.
 *
 * Whatever ends it early, the server is told to forget the clip. It can be told only once the clip is
 * sent, so until then this goes on.
 */
export async function restoreClip(api: Api, clip: Clip, signal: AbortSignal, changed: () => void): Promise<void> {
  const say: Tell = (words, share = null) => {
    clip.progress = { share, words };
    changed();
  };
  say("Sending it to the server…");
  const { id } = await api.handIn(clip.file, signal, say);
  clip.taken = true;
  // Whoever leaves the page waits for nothing.
  const leave = (): void => void api.giveUp(id).catch(() => undefined);
  addEventListener("pagehide", leave);
  try {
    signal.throwIfAborted();
    const told = await follow(api, id, signal, say);
    say("Fetching it…");
    clip.keep(await insist(() => api.clipResult(id, signal), signal, say));
    clip.words = resultWords(told);
  } finally {
    // Fetched or not: else the server would keep it a little longer.
    leave();
    removeEventListener("pagehide", leave);
  }
}

/** Asks until it is done. */
async function follow(api: Api, id: string, signal: AbortSignal, say: Tell): Promise<ClipState> {
  const pace = new Pace();
  for (;;) {
    const told = await insist(() => api.clipState(id, signal), signal, say);
    if (told.state === "done") return told;
    if (told.state === "failed") throw refusalFrom(told.problem ?? {});
    if (told.state === "waiting") say("Waiting: other clips come first.");
    else say(...pace.tell(told, performance.now()));
    await pause(ASK_EVERY, signal);
  }
}

/** Asks again where the connection is lost, before the answer or in the middle of it. */
async function insist<T>(ask: () => Promise<T>, signal: AbortSignal, say: Tell): Promise<T> {
  for (let missed: number | null = null; ; ) {
    try {
      return await ask();
    } catch (error) {
      const lost = error instanceof Refusal && error.kind === "offline";
      missed ??= performance.now();
      if (!lost || performance.now() - missed > LOST_AFTER) throw error;
      say("The server cannot be reached; trying again…");
    }
    await pause(ASK_EVERY, signal);
  }
}

/** How far a clip is, and from its pace so far, how long it will take. */
class Pace {
  private first: { at: number; done: number } | null = null;

  tell({ done, total }: ClipState, now: number): [words: string, share: number | null] {
    if (!done) return ["Looking at the first frames…", null];
    if (!total) return [`${done} frames done`, null];
    const share = Math.min(1, done / total);
    const words = `${Math.floor(100 * share)} % done`;
    this.first ??= { at: now, done };
    const passed = now - this.first.at;
    const frames = done - this.first.done;
    if (passed < SURE_AFTER || !frames) return [words, share];
    return [`${words}, ${timeLeft((passed / frames) * (total - done))}`, share];
  }
}

function timeLeft(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 8) return "a few seconds left";
  if (seconds < 100) return `about ${5 * Math.round(seconds / 5)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

function resultWords({ invented, damaged, cut_off }: ClipState): string {
  const said = [invented ? `Restored: ${percent(invented)} of the clip is invented.` : "Nothing is hidden in this clip."];
  if (damaged) said.push("A part of the clip was damaged and was left out.");
  if (cut_off !== undefined) said.push(`The clip breaks off after ${Math.round(cut_off)} s.`);
  return said.join(" ");
}
