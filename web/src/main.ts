/** The page: photos and clips come in, faces are found and restored, the user corrects and compares. */

import { Api } from "./api";
import { setUpCamera } from "./camera";
import { type Clip, isClip } from "./clip";
import { Clips } from "./clips";
import { Device } from "./device";
import { button, byId, input, save } from "./dom";
import { type Engine, Refusal, wordsOf } from "./engine";
import { listen } from "./events";
import { type Choice, look, marked, restore } from "./jobs";
import { type Mode, Panel } from "./panel";
import { open, type Photo } from "./photo";
import { PlaceSwitch } from "./place";
import { reveal } from "./reveal";
import { Stage } from "./stage";
import { Strip } from "./strip";
import { setUpTheme } from "./theme";
import { fail, hideError } from "./toast";
import { askToken } from "./token";
import { Tools } from "./tools";

const TRY_DETAIL_AFTER = 250;
const SAMPLES = 3;

const items: (Photo | Clip)[] = [];
/** What is shown: a photo, or a clip, or nothing yet. */
let current: Photo | null = null;
let clip: Clip | null = null;
let mode: Mode = "mask";
let detail: number | undefined;
let samples = SAMPLES;
let detailTimer = 0;

const panel = new Panel((photo, variant) => {
  photo.variant = variant;
  refresh();
});
const api = new Api(askToken, (text) => panel.say(text));
const place = new PlaceSwitch(() => refresh());
const clips = new Clips(api, { changed: refresh, fail, hindrance });
let device: Device | null = null;
const stage = new Stage({ painted, compared });
const tools = new Tools(stage);
const strip = new Strip<Photo | Clip>(select, remove);
const file = input("file", (element) => {
  void add([...(element.files ?? [])]);
  element.value = "";
});
const openCamera = setUpCamera(
  (photo) => void add([new File([photo], "camera.png", { type: "image/png" })]),
  fail,
);

// --- photos and clips come in ---------------------------------------------------------------

async function add(files: File[]): Promise<void> {
  for (const each of files) {
    let item: Photo | Clip;
    try {
      if (isClip(each)) await ready; // whether the server takes any
      item = isClip(each) ? await clips.open(each) : await open(each, each.name || "photo");
    } catch (error) {
      fail(wordsOf(error));
      continue;
    }
    items.push(item);
    strip.add(item);
    // The first of them is shown at once, and never taken from under a brush.
    if (items.length === 1 || each === files[0]) select(item);
    else refresh();
    if (item.kind === "photo") void lookAt(item);
  }
}

let queue: Promise<void> = Promise.resolve();

/** One photo after the other, so that the one on the stage is not kept waiting by all others. */
function lookAt(photo: Photo): Promise<void> {
  photo.stage = "looking";
  photo.words = "Looking for faces…";
  refresh();
  // Not before it is known where: a photo that is to stay here must not be sent.
  queue = queue.then(() => ready).then(async () => void (await work(photo, "found", () => look(engine(), photo))));
  return queue;
}

async function restoreNow(photo: Photo, others = 0): Promise<void> {
  if (photo.mask.isEmpty()) {
    fail("Nothing is marked. Paint over what hides the face, then restore.");
    return;
  }
  photo.stage = "restoring";
  photo.words = "Restoring…";
  refresh();
  const first = !photo.result;
  const done = await work(photo, "restored", () => restore(engine(), photo, { ...choice(), samples: others }));
  if (done && photo === current) {
    setMode("result");
    if (first) reveal((share) => photo === current && compared(share));
  }
}

/** Runs a piece of work of a photo and says how it ended; whether it was done. */
async function work(photo: Photo, then: Photo["stage"], job: () => Promise<void>): Promise<boolean> {
  if (!items.includes(photo)) return false;
  let done = false;
  try {
    await job();
    photo.stage = then;
    done = true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    photo.stage = "failed";
    photo.words = wordsOf(error);
    const square = photo.width === photo.height;
    if (error instanceof Refusal && error.kind === "no-face" && square && !photo.aligned) {
      photo.words += " If the whole picture is one aligned face, say so below.";
    }
    if (photo === current) fail(photo.words);
  }
  refresh();
  return done;
}

function engine(): Engine {
  if (place.unknown) throw new Refusal("offline", "The server has not said what this device can run. Reload the page.");
  return place.current === "device" && device ? device : api;
}

function choice(): Choice {
  return detail === undefined ? {} : { detail };
}

/** Why clips cannot be restored where photos are worked on now. */
function hindrance(): string | null {
  if (place.current === "server" && !place.unknown) return null;
  return "Clips are restored on the server only. Choose “On the server” to send this one.";
}

function select(item: Photo | Clip): void {
  current = item.kind === "photo" ? item : null;
  clip = item.kind === "clip" ? item : null;
  hideError();
  setMode(current?.result && !current.stale ? "result" : "mask");
  tools.resize(100 * stage.size);
}

function remove(item: Photo | Clip): void {
  const index = items.indexOf(item);
  items.splice(index, 1);
  strip.drop(item);
  item.close();
  if (item === (current ?? clip)) {
    current = clip = null;
    const next = items[Math.min(index, items.length - 1)];
    if (next) select(next);
  }
  refresh();
  byId(current ? "stage" : clip ? "screen" : "pick").focus();
}

// --- the stage ------------------------------------------------------------------------------

function painted(done: boolean): void {
  if (!current) return;
  current.stale = current.result !== null;
  if (done) refresh();
}

function compared(share: number): void {
  if (!current) return;
  current.compare = share;
  panel.showCompare(current, mode);
  stage.redraw();
}

// --- what the page shows --------------------------------------------------------------------

function setMode(next: Mode): void {
  mode = next;
  stage.mode = next;
  refresh();
}

function refresh(): void {
  const shown = current ?? clip;
  for (const item of items) strip.update(item, item === shown);
  byId("restore-all").hidden = !items.some((item) => item !== shown && item.stage === "found");
  const { dataset } = byId("main");
  dataset.state = shown ? "open" : "empty";
  dataset.kind = shown?.kind ?? "photo";
  stage.show(current);
  panel.show(current, mode);
  clips.show(clip);
  if (!current) panel.say(clip ? clips.wordsFor(clip) : "");
  place.moveTo(byId(shown ? "panel" : "drop-card"));
}

// --- controls -------------------------------------------------------------------------------

function change(step: () => void): void {
  if (!current) return;
  step();
  painted(true);
}

function inHistory(step: "undo" | "redo"): void {
  change(() => current?.mask[step]());
}

async function download(): Promise<void> {
  const photo = current;
  if (!photo?.afterFile) return;
  const name = photo.name.replace(/\.[^.]*$/, "");
  if (!byId<HTMLInputElement>("with-overlay").checked) {
    save(photo.afterFile, `${name}.restored.png`);
    return;
  }
  panel.say("Preparing the file…");
  try {
    save(await marked(engine(), photo, choice()), `${name}.marked.png`);
  } catch (error) {
    fail(wordsOf(error));
  }
  refresh();
}

for (const id of ["pick", "add"]) button(id, () => file.click());
button("camera", () => void openCamera());
button("brush", () => tools.choose(false));
button("eraser", () => tools.choose(true));
button("undo", () => inHistory("undo"));
button("redo", () => inHistory("redo"));
button("clear", () => change(() => current?.mask.clear()));
button("found", () => change(() => current?.found && current.mask.load(current.found, false)));
button("restore", () => current && void restoreNow(current));
button("restore-all", async () => {
  for (const item of items.filter(({ stage }) => stage === "found")) {
    if (item.kind === "clip") void clips.restore(item);
    else if (!item.mask.isEmpty()) await restoreNow(item);
  }
});
button("others", () => current && void restoreNow(current, samples));
button("download", () => void download());
button("help", () => byId<HTMLDialogElement>("help-dialog").showModal());
button("help-close", () => byId<HTMLDialogElement>("help-dialog").close());
input("size", (element) => tools.resize(Number(element.value)));
input("compare", (element) => compared(Number(element.value) / 100));
input("boxes", (element) => {
  stage.boxes = element.checked;
  stage.redraw();
});
input("show-invented", (element) => {
  stage.showInvented = element.checked;
  stage.redraw();
});
input("aligned", (element) => {
  if (!current) return;
  current.aligned = element.checked;
  void lookAt(current);
});
input("detail", (element) => {
  detail = Number(element.value) / 100;
  byId("detail-out").textContent = `${element.value} %`;
  clearTimeout(detailTimer);
  detailTimer = window.setTimeout(() => current?.result && void restoreNow(current), TRY_DETAIL_AFTER);
});
for (const name of ["mask", "result"] as const) {
  const tab = button(`tab-${name}`, () => setMode(name));
  tab.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key) || !current?.result) return;
    setMode(name === "mask" ? "result" : "mask");
    byId(`tab-${mode}`).focus();
  });
}
button("zoom-in", () => stage.zoomBy(1.5));
button("zoom-out", () => stage.zoomBy(1 / 1.5));
button("zoom-face", () => stage.zoomToFace());

listen({
  isOpen: () => items.length > 0,
  files: (files) => void add(files),
  tool: (erase) => tools.choose(erase),
  resize: (by) => tools.resize(100 * stage.size + by),
  history: inHistory,
  restore: () => {
    if (clip) void clips.restore(clip);
    else if (current && !byId<HTMLButtonElement>("restore").disabled) void restoreNow(current);
  },
});

// --- start ----------------------------------------------------------------------------------

setUpTheme(() => stage.redraw());
tools.choose(false);
tools.resize(45);
refresh();
const ready = api.info().then(
  (info) => {
    device = new Device(api, info, (words) => panel.say(words), (words) => place.runsOn(words));
    const changed = place.offer(info.in_browser);
    if (changed) fail(changed);
    const prior = info.models.some((model) => model.name === info.default && model.prior);
    byId("detail-row").hidden = byId("others").hidden = !prior;
    const usual = String(Math.round(100 * info.detail));
    byId<HTMLInputElement>("detail").value = usual;
    byId("detail-out").textContent = `${usual} %`;
    samples = Math.min(SAMPLES, info.limits.samples);
    clips.offer(info.limits.clip_frames, info.limits.megabytes);
  },
  (error) => fail(wordsOf(error)),
);
