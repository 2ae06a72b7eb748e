/** Finds and restores faces on this device: a worker runs the networks, the photo stays here. */

import type { Api, ServerInfo } from "./api";
import type { Done, Files, Job, Reply, Request } from "./device/messages";
import type { Processor } from "./device/network";
import { type Answer, type Engine, Refusal, type Say, type Wish, wordsOf } from "./engine";
import { hindrance, wanted } from "./gpu";

type Rest<T> = T extends unknown ? Omit<T, "kind" | "id"> : never;

/** A card that has not shown within these milliseconds what it can do is left alone: from when its
 * files are asked for, and from when they are here. */
const START_WITHIN = 90_000;
const TRIAL_WITHIN = 20_000;

interface Waiting {
  say: Say;
  done(done: Done): void;
  refuse(error: unknown): void;
}

export class Device implements Engine {
  private worker: Promise<Worker> | null = null;
  /** Held by the browser, for another worker where this one falls. */
  private files: Files | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private readonly numbers = new WeakMap<Blob, number>();
  private last = 0;
  private on: Processor = "cpu";
  /** The graphics card has failed once: it is not tried again. */
  private broken = false;

  constructor(
    private readonly api: Api,
    private readonly info: ServerInfo,
    /** Told what the networks run on. */
    private readonly runsOn: (words: string) => void,
  ) {}

  async segment(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer> {
    return this.ask(wish, true, signal, say);
  }

  async restore(wish: Wish, signal: AbortSignal, say: Say): Promise<Answer> {
    return this.ask(wish, false, signal, say);
  }

  fitting(samples: number): number {
    return samples;
  }

  /** The worker with its networks; they are fetched when they are first needed. */
  private start(say: Say): Promise<Worker> {
    this.worker ??= this.open(say).catch((error) => {
      this.worker = null; // the next photo may try again
      throw error;
    });
    return this.worker;
  }

  private async open(say: Say): Promise<Worker> {
    say("Loading the networks onto this device…");
    this.files ??= await this.fetchFiles();
    const { files } = this;
    let why = this.broken ? "it failed" : await hindrance(this.info.webgpu);
    if (why === null) {
      try {
        return await this.launch(files, "webgpu", say);
      } catch (error) {
        why = error instanceof Refusal ? error.detail : wordsOf(error);
      }
    }
    const worker = await this.launch(files, "cpu", say);
    // Who has not asked for WebGPU need not hear why there is none.
    this.runsOn(wanted() === "webgpu" ? `CPU. Not WebGPU: ${why}` : "CPU");
    return worker;
  }

  private async fetchFiles(): Promise<Files> {
    const model = this.info.models.find((each) => each.name === this.info.default);
    const file = (role: string): Promise<Blob> => this.api.weights(this.info.default, role);
    const [face, mask, detector, align] = await Promise.all(["face", "mask", "detector", "align"].map(file));
    return { face, mask, detector, align, prior: model?.prior ? await file("prior") : undefined };
  }

  private async launch(files: Files, on: Processor, say: Say): Promise<Worker> {
    const worker = new Worker("device.js", { type: "module" });
    const forced = wanted() === "webgpu";
    let timer = 0;
    await new Promise<void>((resolve, reject) => {
      const fail = (words: string): void => {
        worker.terminate();
        reject(new Refusal("device", words));
      };
      const within = (milliseconds: number): void => {
        clearTimeout(timer);
        if (on === "webgpu" && !forced) timer = window.setTimeout(() => fail("it took too long"), milliseconds);
      };
      within(START_WITHIN);
      worker.onerror = () => fail("The networks cannot be run on this device. Choose the server instead.");
      worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        if (data.kind === "ready") resolve();
        if (data.kind === "failed") fail(on === "cpu" ? `The networks cannot be run on this device: ${data.words}` : data.words);
        if (data.kind !== "trying") return;
        say("Trying the graphics card…");
        within(TRIAL_WITHIN);
      };
      const { version, limits } = this.info;
      const known = this.info.models.find((each) => each.name === this.info.default);
      const model = known?.fingerprint ?? this.info.default;
      post(worker, { kind: "open", on, forced, base: document.baseURI, files, version, model, faces: limits.faces });
    }).finally(() => clearTimeout(timer));
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.hear(data);
    worker.onerror = () => this.fall();
    this.on = on;
    if (on === "webgpu") this.runsOn("WebGPU");
    return worker;
  }

  /** Does a job; where the graphics card fails at it, once more without. */
  private async ask(wish: Wish, look: boolean, signal: AbortSignal, say: Say): Promise<Done> {
    const worker = await unlessAborted(this.start(say), signal);
    const { on } = this;
    try {
      return await this.askOf(worker, wish, look, signal, say);
    } catch (error) {
      const fell = error instanceof Refusal && ["failed", "device"].includes(error.kind);
      if (on === "cpu" || !fell) throw error;
      this.broken = true;
      if (this.on === "webgpu") this.fall();
      this.on = "cpu";
      return this.askOf(await unlessAborted(this.start(say), signal), wish, look, signal, say);
    }
  }

  private async askOf(worker: Worker, wish: Wish, look: boolean, signal: AbortSignal, say: Say): Promise<Done> {
    signal.throwIfAborted();
    const id = ++this.last;
    const job: Rest<Job> = {
      photo: this.numberOf(wish.photo),
      file: wish.photo,
      mask: wish.mask ?? null,
      aligned: wish.aligned ?? false,
      look,
      detail: wish.detail ?? this.info.detail,
      samples: wish.samples ?? 0,
      seed: wish.seed ?? 0,
    };
    return new Promise((done, refuse) => {
      this.waiting.set(id, { say, done, refuse });
      signal.addEventListener("abort", () => {
        if (!this.waiting.delete(id)) return; // it has ended
        post(worker, { kind: "stop", id });
        refuse(signal.reason);
      });
      post(worker, { kind: "job", id, ...job });
    });
  }

  private hear(reply: Reply): void {
    if (!("id" in reply)) return;
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return; // nobody wants it any more
    if (reply.kind === "stage") {
      waiting.say(reply.words);
      return;
    }
    this.waiting.delete(reply.id);
    if (reply.kind === "done") waiting.done(reply.done);
    else waiting.refuse(new Refusal(reply.name, reply.words));
  }

  /** The worker is gone, as when a device has too little memory. */
  private fall(): void {
    void this.worker?.then((worker) => worker.terminate());
    this.worker = null;
    for (const { refuse } of this.waiting.values()) {
      refuse(new Refusal("device", "This device could not do it. A smaller photo may work, or the server."));
    }
    this.waiting.clear();
  }

  private numberOf(photo: Blob): number {
    const known = this.numbers.get(photo) ?? ++this.last;
    this.numbers.set(photo, known);
    return known;
  }
}

/** What a promise gives; who does not want it any more need not wait for it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    promise.then(resolve, reject);
  });
}

function post(worker: Worker, request: Request): void {
  worker.postMessage(request);
}
