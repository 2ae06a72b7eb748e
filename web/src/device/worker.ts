/** Runs the networks beside the page, so that it stays alive. One job after the other. */

import { Refusal, wordsOf } from "../engine";
import { decode, decodeMask } from "./decode";
import { FaceDetector } from "./detect";
import { type Bytes, count } from "./image";
import type { Done, Job, Open, Reply, Request } from "./messages";
import { FaceModel, type Manner } from "./model";
import { type Network, type Processor, Runtime } from "./network";
import { encode } from "./png";
import { FacePrior } from "./prior";
import { type Restoration, Restorer, type Wish } from "./restorer";
import { attempt, objection } from "./trial";

const scope = self as unknown as { postMessage(reply: Reply): void; onmessage: unknown };
const stopped = new Set<number>();
let opened: Open;
let restorer: Restorer;
let current = 0;
let queue = Promise.resolve();

scope.onmessage = ({ data }: MessageEvent<Request>): void => {
  if (data.kind === "open") queue = queue.then(() => open(data));
  else if (data.kind === "stop") stopped.add(data.id);
  else queue = queue.then(() => take(data));
};

async function open(message: Open): Promise<void> {
  opened = message;
  const { files } = message;
  try {
    const [face, mask, detector, aligner] = await openNetworks(message);
    const model = new FaceModel(face, mask, files.prior ? new FacePrior(await files.prior.arrayBuffer()) : null);
    restorer = new Restorer(model, new FaceDetector(detector, () => breathe()), aligner, breathe);
    scope.postMessage({ kind: "ready" });
  } catch (error) {
    scope.postMessage({ kind: "failed", words: wordsOf(error) });
  }
}

/** Face, mask, detector and aligner, on the graphics card if that was asked for.
 *
 * @throws Error in words, where the graphics card does not do what the processor does.
 */
async function openNetworks({ base, files, on, forced }: Open): Promise<Network[]> {
  const runtime = await Runtime.load(base, on);
  const openAll = async (where: Processor): Promise<Network[]> => {
    const opened: Network[] = [];
    for (const file of [files.face, files.mask, files.detector, files.align]) {
      opened.push(await runtime.open(await file.arrayBuffer(), where));
    }
    return opened;
  };
  // A card in software takes minutes for a run, and who forces it does not ask how long.
  const tryAll = async (networks: Network[]) => {
    const outcomes = [];
    for (const network of networks) outcomes.push(await attempt(network, forced ? 1 : 2));
    return outcomes;
  };
  const known = await openAll("cpu");
  if (on === "cpu") return known;
  const expected = await tryAll(known);
  for (const network of known) await network.close();
  scope.postMessage({ kind: "trying" });
  const tried = await openAll("webgpu");
  const words = objection(expected, await tryAll(tried), !forced);
  if (words) throw new Error(words);
  return tried;
}

/** Between two stages: says what comes, and hears whether anybody still wants it. */
async function breathe(words?: string): Promise<void> {
  if (words) scope.postMessage({ kind: "stage", id: current, words });
  await new Promise((resolve) => setTimeout(resolve));
  if (stopped.has(current)) throw new Refusal("stopped", "Stopped.");
}

async function take(job: Job): Promise<void> {
  current = job.id;
  try {
    await breathe();
    scope.postMessage({ kind: "done", id: job.id, done: await work(job) });
  } catch (error) {
    const name = error instanceof Refusal ? error.kind : "failed";
    const memory = error instanceof RangeError;
    const words = memory ? "This picture needs more memory than this browser gives." : wordsOf(error);
    scope.postMessage({ kind: "refused", id: job.id, name, words });
  }
  stopped.delete(job.id);
}

async function work(job: Job): Promise<Done> {
  const { photo, profile } = await decode(job.file);
  if (job.aligned && photo.width !== photo.height) {
    throw new Refusal("not-aligned", "An aligned face is square, this picture is not.");
  }
  const mask = job.mask && (await decodeMask(job.mask, photo.width, photo.height));
  const wish: Wish = { id: job.photo, photo, mask, aligned: job.aligned, faces: opened.faces };
  const manners: Manner[] = [{ detail: job.detail, seed: null }];
  for (let i = 0; i < job.samples; i++) manners.push({ detail: job.detail, seed: job.seed + i });
  const results = await restorer.restore(wish, job.look ? [null] : manners);
  if (!results[0].faces.length) throw new Refusal("no-face");
  const invented = results[0].invented;
  const share = count(invented) / invented.data.length;
  await breathe(job.look ? undefined : "Writing the picture…");
  const write = (result: Restoration): Promise<Blob> => {
    const faces = result.faces.filter((face) => face.coverage > 0).length;
    const said = share ? { version: opened.version, model: opened.model, invented: share, faces } : null;
    return encode(result.photo, profile, said);
  };
  return {
    invented: share,
    faces: results[0].faces,
    notes: notesOf(results[0], mask),
    mask: await encode({ ...invented, data: invented.data.map((value) => (value ? 255 : 0)) }),
    photo: job.look ? undefined : await write(results[0]),
    samples: share ? await Promise.all(results.slice(1).map(write)) : [],
  };
}

/** What a user should hear beside the picture; as the server says it. */
function notesOf({ invented, faces, passedOver }: Restoration, mask: Bytes | null): string[] {
  const notes: string[] = [];
  const outside = mask?.data.some((value, p) => value && !invented.data[p]);
  if (outside && !count(invented)) notes.push("The mask lies in no face: the photo is as it was.");
  else if (outside) notes.push("A part of the mask lies in no face; it was left as it is.");
  else if (!count(invented)) notes.push("Nothing is hidden: the photo is as it was.");
  if (passedOver) notes.push(`Only the ${faces.length} largest faces were looked at.`);
  return notes;
}
