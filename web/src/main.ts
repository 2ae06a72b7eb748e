/** The page: photos and clips come in, faces are found and restored, the user corrects and compares. */

import { Api, type ServerInfo } from "./api";
import { setUpCamera } from "./camera";
import { type Clip, isClip } from "./clip";
import { Clips } from "./clips";
import { Device } from "./device";
import { button, byId, input } from "./dom";
import { type Engine, wordsOf } from "./engine";
import { listen } from "./events";
import { keepFocus } from "./focus";
import { type Mode, Panel } from "./panel";
import { open, type Photo } from "./photo";
import { Photos } from "./photos";
import { PlaceSwitch } from "./place";
import { reveal } from "./reveal";
import { Stage } from "./stage";
import { Strip } from "./strip";
import { TakenOff } from "./taken-off";
import { setUpTheme } from "./theme";
import { fail, hideError } from "./toast";
import { askToken } from "./token";
import { Tools } from "./tools";

const SAMPLES = 3;
const TOLD = 2; // of the files that cannot be opened, in words

const items: (Photo | Clip)[] = [];
/** What is shown: a photo, or a clip, or nothing yet. */
let current: Photo | null = null;
let clip: Clip | null = null;
let mode: Mode = "mask";
let samples = SAMPLES;

const panel = new Panel((photo, variant) => {
  photo.variant = variant;
  refresh();
});
const api = new Api(askToken);
const place = new PlaceSwitch(moved);
const photos = new Photos({
  changed: refresh,
  said: (photo) => photo === current && panel.say(photo.words),
  failed: (photo) => photo === current && fail(photo.words),
  engine,
});
const clips = new Clips(api, { changed: refresh, hindrance });
let device: Device | null = null;
const stage = new Stage({ painted: refresh, compared });
const tools = new Tools(stage);
const strip = new Strip<Photo | Clip>(select, remove);
const takenOff = new TakenOff<Photo | Clip>(bringBack);
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
  hideError();
  const wrong: string[] = [];
  let first = true;
  for (const each of files) {
    let item: Photo | Clip;
    try {
      if (isClip(each)) await ready(); // whether the server takes any
      item = isClip(each) ? await clips.open(each) : await open(each, each.name || "photo");
    } catch (error) {
      wrong.push(wordsOf(error));
      continue;
    }
    strip.add(item, items.length);
    items.push(item);
    // The first of them is shown at once, and never taken from under a brush.
    if (items.length === 1 || (first && !stage.painting)) select(item);
    else refresh();
    first = false;
    if (item.kind === "photo") photos.lookAt(item);
  }
  if (wrong.length) fail(atMost(wrong, TOLD));
}

/** The first sentences, and how many there are besides. */
function atMost(sentences: string[], most: number): string {
  const more = sentences.length - most;
  const rest = more > 1 ? [`So it is with ${more} more files.`] : sentences.slice(most);
  return [...sentences.slice(0, most), ...rest].join(" ");
}

/** Restores a photo and shows what comes out; looks at it again where nothing was found. */
async function restore(photo: Photo): Promise<void> {
  if (photo.busy) return;
  hideError();
  if (!photo.found) {
    photos.lookAt(photo);
    return;
  }
  const first = !photo.result;
  const done = await photos.restore(photo, photo.others);
  // Who paints already goes on.
  if (!done || photo !== current || photo.stale) return;
  await stage.settled; // sharp from the first moment
  if (photo !== current || photo.stale) return;
  setMode("result");
  byId("stage").scrollIntoView({ block: "nearest" }); // on a low screen the page scrolls
  if (!first) return;
  let shown = photo.compare;
  reveal((share) => {
    // Who has moved the divider keeps it.
    if (photo !== current || photo.compare !== shown) return false;
    compared((shown = share));
    return true;
  });
}

/** Who does the work. Not before it is known where: a photo that is to stay here must not be sent. */
async function engine(): Promise<Engine> {
  await ready();
  return place.current === "device" && device ? device : api;
}

/** Photos are worked on elsewhere from now on. */
function moved(): void {
  hideError();
  for (const item of items) {
    if (item.kind === "photo") photos.moved(item);
    else clips.moved(item);
  }
  refresh();
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

function remove(item: Photo | Clip, byKeyboard: boolean): void {
  const index = items.indexOf(item);
  items.splice(index, 1);
  strip.drop(item);
  takenOff.hold(item, index);
  if (item === (current ?? clip)) {
    current = clip = null;
    const next = items[Math.min(index, items.length - 1)];
    if (next) select(next);
  }
  refresh();
  byId(byKeyboard ? "bring-back" : current ? "stage" : clip ? "screen" : "pick").focus();
}

function bringBack(item: Photo | Clip, index: number): void {
  items.splice(index, 0, item);
  strip.add(item, index);
  select(item);
  if (item.kind === "photo") photos.resume(item);
  else clips.resume(item);
}

// --- what the page shows --------------------------------------------------------------------

function compared(share: number): void {
  if (!current) return;
  current.compare = share;
  panel.showCompare(current, mode);
  stage.redraw();
}

function setMode(next: Mode): void {
  mode = next;
  stage.mode = next;
  refresh();
}

function refresh(): void {
  keepFocus(() => {
    const shown = current ?? clip;
    for (const item of items) strip.update(item, item === shown);
    byId("restore-all").hidden = !items.some((item) => item !== shown && item.waits);
    const { dataset } = byId("main");
    dataset.state = shown ? "open" : "empty";
    dataset.kind = shown?.kind ?? "photo";
    stage.show(current);
    panel.show(current, mode);
    clips.show(clip);
    if (!current) panel.say(clip ? clips.wordsFor(clip) : "");
    place.moveTo(byId(shown ? "panel" : "drop-card"));
  });
}

// --- controls -------------------------------------------------------------------------------

function change(step: (photo: Photo) => void): void {
  // What is not seen is not changed.
  if (!current?.paintable || mode !== "mask") return;
  step(current);
  refresh();
}

function inHistory(step: "undo" | "redo"): void {
  change(({ mask }) => mask[step]());
}

for (const id of ["pick", "add"]) button(id, () => file.click());
button("camera", () => void openCamera());
button("brush", () => tools.choose(false));
button("eraser", () => tools.choose(true));
button("undo", () => inHistory("undo"));
button("redo", () => inHistory("redo"));
button("clear", () => change(({ mask }) => mask.clear()));
button("found", () => change(({ mask }) => mask.goBack()));
button("restore", () => current && void restore(current));
button("restore-all", async () => {
  const tried = new Set<Photo | Clip>();
  const waiting = (): Photo | Clip | undefined => items.find((item) => item.waits && !tried.has(item));
  // It takes a while: some may be done meanwhile, or gone, and others found.
  while (waiting() || items.some(({ stage }) => stage === "looking")) {
    const next = waiting();
    if (!next) {
      await photos.settled();
      if (!waiting()) return;
    } else {
      tried.add(next);
      if (next.kind === "clip") void clips.restore(next);
      else await restore(next);
    }
  }
});
button("others", () => current && void photos.restore(current, { samples, seed: current.seed }));
button("download", () => current && void photos.download(current, byId<HTMLInputElement>("with-overlay").checked));
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
  refresh();
});
input("aligned", (element) => {
  if (!current) return;
  hideError();
  current.aligned = element.checked;
  photos.lookAt(current);
});
input("detail", (element) => {
  if (current) photos.tryDetail(current, Number(element.value) / 100);
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
    else if (current && (mode === "mask" || current.stale || !current.result)) void restore(current);
  },
});
addEventListener("beforeunload", (event) => {
  if ([...items, ...takenOff.items].some(({ unsaved }) => unsaved)) event.preventDefault();
});

// --- start ----------------------------------------------------------------------------------

let known: Promise<void> | null = null;

/** Settles once it is known what the server can do; asks again where it did not say. */
function ready(): Promise<void> {
  known ??= api.info().then(meet).catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

function meet(info: ServerInfo): void {
  device = new Device(api, info, (words) => place.runsOn(words));
  const changed = place.offer(info.in_browser);
  if (changed) fail(changed);
  const prior = info.models.some((model) => model.name === info.default && model.prior);
  byId("detail-row").hidden = byId("others").hidden = !prior;
  panel.usualDetail = info.detail;
  samples = Math.min(SAMPLES, info.limits.samples);
  clips.offer(info.limits.clip_frames, info.limits.megabytes);
  refresh();
}

setUpTheme(() => stage.redraw());
tools.choose(false);
tools.resize(45);
refresh();
ready().catch((error) => fail(wordsOf(error)));
