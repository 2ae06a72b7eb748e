/** What the page and the worker that runs the networks say to each other. */

import type { FaceFound } from "../engine";
import type { Processor } from "./network";

/** The files of a model, and of the networks that all models share. */
export interface Files {
  face: Blob;
  mask: Blob;
  detector: Blob;
  align: Blob;
  prior?: Blob;
}

export interface Open {
  kind: "open";
  /** What the networks are to run on; WebGPU only if it gives the processor's answer. */
  on: Processor;
  /** WebGPU even where it is slower. */
  forced: boolean;
  /** The address of the page, beside which the runtime lies. */
  base: string;
  files: Files;
  version: string;
  model: string;
  /** The most faces of a photo. */
  faces: number;
}

export interface Job {
  kind: "job";
  id: number;
  /** The same photo has the same number. */
  photo: number;
  file: Blob;
  mask: Blob | null;
  aligned: boolean;
  /** Only what is hidden is wanted, and nothing filled in. */
  look: boolean;
  detail: number;
  samples: number;
  seed: number;
}

/** Ends a job at its next stage. */
export interface Stop {
  kind: "stop";
  id: number;
}

export type Request = Open | Job | Stop;

export interface Done {
  invented: number;
  faces: FaceFound[];
  notes: string[];
  mask: Blob;
  /** Missing after a look. */
  photo?: Blob;
  samples: Blob[];
}

export type Reply =
  /** The graphics card is tried from now on. */
  | { kind: "trying" }
  | { kind: "ready" }
  | { kind: "failed"; words: string }
  | { kind: "stage"; id: number; words: string }
  | { kind: "done"; id: number; done: Done }
  | { kind: "refused"; id: number; name: string; words: string };
