/** Plays a clip: before and after in step, one over the other, with a divider between them. */

import type { Clip, ClipResult } from "./clip";
import { button, byId, calm, clamp, input } from "./dom";

/** Seconds by which the two may differ: up to the first, one runs slower or faster; past it, it jumps.
 * Jumps take so long that they would never catch up with what goes on. */
const DRIFT = 0.5;
const JUMP_EVERY = 1500;
const STEP = 0.02;

export interface PlayerEvents {
  compared(share: number): void;
  /** This browser cannot play the result. */
  unplayable(clip: Clip): void;
}

export class Player {
  private readonly film = byId("film");
  private readonly before = byId<HTMLVideoElement>("clip-before");
  private readonly after = byId<HTMLVideoElement>("clip-after");
  private readonly seek: HTMLInputElement;
  private readonly time = byId("clip-time");
  private clip: Clip | null = null;
  private result: ClipResult | null = null;
  private sound = false;
  private dragging = false;
  /** When one was last set to the other's time. */
  private jumped = 0;

  constructor(private readonly events: PlayerEvents) {
    button("play", () => this.toggle());
    button("sound", () => this.setSound(!this.sound));
    this.seek = input("seek", (element) => this.goTo(Number(element.value)));
    for (const video of [this.before, this.after]) {
      for (const event of ["loadedmetadata", "loadeddata", "seeked", "play", "pause"]) {
        video.addEventListener(event, () => this.refresh());
      }
      video.addEventListener("error", () => this.failed(video));
    }
    const screen = byId("screen");
    screen.addEventListener("keydown", (event) => this.key(event));
    screen.addEventListener("pointerdown", (event) => {
      if (event.button || !this.clip?.result) return;
      screen.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.compareAt(event.clientX);
    });
    screen.addEventListener("pointermove", (event) => this.dragging && this.compareAt(event.clientX));
    for (const name of ["pointerup", "pointercancel"] as const) {
      screen.addEventListener(name, () => {
        this.dragging = false;
      });
    }
  }

  /** Shows a clip, or lets go of the one that is shown. */
  show(clip: Clip | null): void {
    const result = clip?.result ?? null;
    if (clip !== this.clip) {
      this.before.pause();
      point(this.before, clip?.picture ? clip.url : null);
      point(this.after, result?.url ?? null);
    } else if (result !== this.result) {
      this.before.pause(); // both play, or neither
      point(this.after, result?.url ?? null);
      this.after.currentTime = this.before.currentTime;
    }
    this.clip = clip;
    this.result = result;
    this.setSound(this.sound);
    this.refresh();
  }

  /** A result that has just come plays by itself, without its sound; not for those who want no motion. */
  begin(): void {
    if (calm.matches) return;
    this.setSound(false);
    this.goTo(0);
    if (this.lead().paused) this.toggle();
  }

  toggle(): void {
    const lead = this.lead();
    if (lead.paused) {
      // What cannot be played has said so already.
      for (const video of this.playing()) void video.play().catch(() => undefined);
      requestAnimationFrame(() => this.tick());
    } else {
      for (const video of this.playing()) video.pause();
      this.goTo(lead.currentTime);
    }
  }

  /** The one that gives the time and the sound. */
  private lead(): HTMLVideoElement {
    return this.after.getAttribute("src") ? this.after : this.before;
  }

  private playing(): HTMLVideoElement[] {
    return [this.before, this.after].filter((video) => video.getAttribute("src"));
  }

  private goTo(seconds: number): void {
    for (const video of this.playing()) video.currentTime = seconds;
    this.refresh();
  }

  private setSound(on: boolean): void {
    this.sound = on;
    for (const video of [this.before, this.after]) video.muted = !on || video !== this.lead();
    byId("sound").setAttribute("aria-pressed", String(on));
    byId("sound-icon").setAttribute("href", on ? "#i-sound" : "#i-mute");
  }

  /** Once a frame of the screen while it plays. */
  private tick(): void {
    const lead = this.lead();
    if (lead === this.after && this.playing().length === 2) this.keepInStep();
    this.refresh();
    if (!lead.paused) requestAnimationFrame(() => this.tick());
  }

  private keepInStep(): void {
    const length = this.after.duration || 1;
    let behind = this.after.currentTime - this.before.currentTime;
    behind -= length * Math.round(behind / length); // both go round
    this.before.playbackRate = clamp(1 + 2 * behind, 0.5, 2);
    const now = performance.now();
    if (Math.abs(behind) < DRIFT || this.before.seeking || now < this.jumped + JUMP_EVERY) return;
    this.jumped = now;
    this.before.currentTime = this.after.currentTime;
  }

  private failed(video: HTMLVideoElement): void {
    if (!this.clip || !video.getAttribute("src")) return;
    point(video, null);
    if (video === this.after) this.events.unplayable(this.clip);
    this.refresh();
  }

  private refresh(): void {
    const lead = this.lead();
    const { videoWidth: width, videoHeight: height, currentTime, duration } = lead;
    const { style } = this.film;
    if (width && height) {
      style.setProperty("--width", String(width));
      style.setProperty("--height", String(height));
    }
    const shown = this.playing().length > 0;
    const both = this.playing().length === 2;
    const share = both ? (this.clip?.compare ?? 0) : 0;
    style.setProperty("--split", `${100 * share}%`);
    this.film.hidden = byId("play-bar").hidden = !shown;
    byId("no-film").hidden = shown;
    byId("divider").hidden = !both || share <= 0 || share >= 1;
    byId("clip-tag-before").hidden = !both || share < 0.12;
    byId("clip-tag-after").hidden = lead !== this.after || share > 0.88;
    const playing = !lead.paused;
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("play").title = playing ? "Pause (Space)" : "Play (Space)";
    byId("play-icon").setAttribute("href", playing ? "#i-pause" : "#i-play");
    const length = Number.isFinite(duration) ? duration : 0;
    this.seek.max = String(length);
    this.seek.value = String(currentTime);
    this.time.textContent = `${clock(currentTime)} / ${clock(length)}`;
    this.seek.setAttribute("aria-valuetext", `${clock(currentTime)} of ${clock(length)}`);
  }

  private compareAt(x: number): void {
    const bounds = this.film.getBoundingClientRect();
    this.events.compared(clamp((x - bounds.left) / bounds.width, 0, 1));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.clip) return;
    const steps: Record<string, number> = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP };
    if (event.key === " ") this.toggle();
    else if (event.key in steps && this.clip.result) {
      const step = steps[event.key] * (event.shiftKey ? 5 : 1);
      this.events.compared(clamp(this.clip.compare + step, 0, 1));
    } else return;
    event.preventDefault();
  }
}

function point(video: HTMLVideoElement, url: string | null): void {
  if (url) {
    video.src = url;
    return;
  }
  video.removeAttribute("src");
  video.load(); // lets go of the file
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
