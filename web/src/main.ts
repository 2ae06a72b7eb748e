/** The page: photos come in, faces are found and restored, the user corrects and compares. */

import { Api } from "./api";
import { setUpCamera } from "./camera";
import { Device } from "./device";
import { button, byId, clamp, input, save } from "./dom";
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
import { askToken } from "./token";

const TRY_DETAIL_AFTER = 250;
const SAMPLES = 3;

const photos: Photo[] = [];
let current: Photo | null = null;
let mode: Mode = "mask";
let detail: number | undefined;
let samples = SAMPLES;
let detailTimer = 0;

const panel = new Panel((photo, variant) => {
  photo.variant = variant;
  refresh();
});
const api = new Api(askToken, (text) => panel.say(text));
const place = new PlaceSwitch();
let device: Device | null = null;
const stage = new Stage({ painted, compared });
const strip = new Strip(select, remove);
const errorToast = byId("error");
const file = input("file", (element) => {
  void add([...(element.files ?? [])]);
  element.value = "";
});
const openCamera = setUpCamera(
  (photo) => void add([new File([photo], "camera.png", { type: "image/png" })]),
  fail,
);

// --- photos come in -------------------------------------------------------------------------

async function add(files: File[]): Promise<void> {
  for (const each of files) {
    let photo: Photo;
    try {
      photo = await open(each, each.name || "photo");
    } catch (error) {
      fail(wordsOf(error));
      continue;
    }
    photos.push(photo);
    strip.add(photo);
    // The first of them is shown at once, and never taken from under a brush.
    if (!current || photos.length === 1 || each === files[0]) select(photo);
    else refresh();
    void lookAt(photo);
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
  if (!photos.includes(photo)) return false;
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

function select(photo: Photo): void {
  current = photo;
  hideError();
  setMode(photo.result && !photo.stale ? "result" : "mask");
  setSize(100 * stage.size);
}

function remove(photo: Photo): void {
  const index = photos.indexOf(photo);
  photos.splice(index, 1);
  strip.drop(photo);
  photo.close();
  if (photo === current) {
    current = photos[Math.min(index, photos.length - 1)] ?? null;
    if (current) select(current);
  }
  refresh();
  (current ? byId("stage") : byId("pick")).focus();
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
  for (const photo of photos) strip.update(photo, photo === current);
  byId("restore-all").hidden = !photos.some((photo) => photo !== current && photo.stage === "found");
  stage.show(current);
  panel.show(current, mode);
  place.moveTo(byId(current ? "panel" : "drop-card"));
}

function fail(text: string): void {
  byId("error-text").textContent = text;
  errorToast.hidden = false;
}

function hideError(): void {
  errorToast.hidden = true;
}

// --- controls -------------------------------------------------------------------------------

function setTool(erase: boolean): void {
  stage.erase = erase;
  byId("brush").setAttribute("aria-pressed", String(!erase));
  byId("eraser").setAttribute("aria-pressed", String(erase));
  stage.redraw();
}

function setSize(value: number): void {
  const slider = byId<HTMLInputElement>("size");
  slider.value = String(clamp(value, 0, 100));
  stage.size = Number(slider.value) / 100;
  const pixels = Math.round(stage.diameter());
  byId("size-out").textContent = pixels ? `${pixels} px` : "";
  slider.setAttribute("aria-valuetext", `${pixels} pixels`);
  stage.redraw();
}

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
button("brush", () => setTool(false));
button("eraser", () => setTool(true));
button("undo", () => inHistory("undo"));
button("redo", () => inHistory("redo"));
button("clear", () => change(() => current?.mask.clear()));
button("found", () => change(() => current?.found && current.mask.load(current.found, false)));
button("restore", () => current && void restoreNow(current));
button("restore-all", async () => {
  for (const photo of photos) if (photo.stage === "found" && !photo.mask.isEmpty()) await restoreNow(photo);
});
button("others", () => current && void restoreNow(current, samples));
button("download", () => void download());
button("error-close", hideError);
button("help", () => byId<HTMLDialogElement>("help-dialog").showModal());
button("help-close", () => byId<HTMLDialogElement>("help-dialog").close());
input("size", (element) => setSize(Number(element.value)));
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
  isOpen: () => current !== null,
  files: (files) => void add(files),
  tool: setTool,
  resize: (by) => setSize(100 * stage.size + by),
  history: inHistory,
  restore: () => {
    if (current && !byId<HTMLButtonElement>("restore").disabled) void restoreNow(current);
  },
});

// --- start ----------------------------------------------------------------------------------

setUpTheme(() => stage.redraw());
setTool(false);
setSize(45);
refresh();
const ready = api.info().then(
  (info) => {
    device = new Device(api, info, (words) => panel.say(words));
    const changed = place.offer(info.in_browser);
    if (changed) fail(changed);
    const prior = info.models.some((model) => model.name === info.default && model.prior);
    byId("detail-row").hidden = byId("others").hidden = !prior;
    byId("detail-out").textContent = "100 %";
    samples = Math.min(SAMPLES, info.limits.samples);
  },
  (error) => fail(wordsOf(error)),
);
