/** What the strip holds, a photo or a clip, and what each is doing. */

export type Stage = "new" | "looking" | "found" | "restoring" | "restored" | "failed";

export interface Item {
  readonly kind: "photo" | "clip";
  readonly name: string;
  /** A small view of it; null where this browser cannot show it. */
  readonly picture: HTMLCanvasElement | null;
  /** It waits to be restored. */
  readonly waits: boolean;
  /** Something of it would be lost with the page. */
  readonly unsaved: boolean;
  stage: Stage;
  /** Ends its work; what it holds stays. */
  takeOff(): void;
  /** Frees what it holds. */
  close(): void;
}
