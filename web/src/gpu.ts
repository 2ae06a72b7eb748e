/** Whether this browser has a graphics card for the networks; `?device=webgpu` or `?device=cpu` decides for it. */

interface Adapter {
  info?: { isFallbackAdapter?: boolean };
  isFallbackAdapter?: boolean;
}

type Gpu = { requestAdapter(): Promise<Adapter | null> } | undefined;

/** What the address of the page asks for. */
export function wanted(): "webgpu" | "cpu" | null {
  const name = new URLSearchParams(location.search).get("device");
  return name === "webgpu" || name === "cpu" ? name : null;
}

/** Why the networks do not run on the graphics card, in words; null: they may be tried there. */
export async function hindrance(served: boolean): Promise<string | null> {
  if (wanted() === "cpu") return "it was not asked for";
  if (!served) return "this server has no files for it";
  const gpu = (navigator as { gpu?: Gpu }).gpu;
  // The build that the server has waits for the card in WebAssembly (JSPI).
  if (!gpu || !("Suspending" in WebAssembly)) return "this browser cannot do it";
  try {
    const adapter = await gpu.requestAdapter();
    if (!adapter) return "this browser gives no graphics card";
    const software = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
    return software && wanted() === null ? "there is one in software only" : null;
  } catch {
    return "this browser gives no graphics card";
  }
}
