/** A photo from the camera, in a dialog; the picture never leaves the page by itself. */

import { button, byId, makeCanvas } from "./dom";

export function setUpCamera(taken: (photo: Blob) => void, fail: (text: string) => void): () => Promise<void> {
  const dialog = byId<HTMLDialogElement>("camera-dialog");
  const video = byId<HTMLVideoElement>("video");
  let opening = false;

  const stop = (): void => {
    for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  dialog.addEventListener("close", stop);
  button("camera-cancel", () => dialog.close());
  button("shutter", () => {
    if (!video.videoWidth) return; // the camera is still starting
    const [canvas, context] = makeCanvas(video.videoWidth, video.videoHeight);
    context.drawImage(video, 0, 0);
    canvas.toBlob((blob) => blob && taken(blob), "image/png");
    dialog.close();
  });

  return async () => {
    if (!navigator.mediaDevices) {
      fail("This browser gives no camera to this page. It needs HTTPS, or an address of this machine.");
      return;
    }
    // A second press would take a second picture from the camera, which nobody would then end.
    if (opening || dialog.open) return;
    opening = true;
    let shown = false;
    try {
      const ideal = { width: { ideal: 1920 }, height: { ideal: 1440 }, facingMode: "user" };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: ideal });
      dialog.showModal();
      shown = true;
      await video.play();
    } catch (error) {
      stop();
      if (shown && !dialog.open) return; // who closes it again has changed their mind
      if (dialog.open) dialog.close();
      fail(wordsFor(error));
    } finally {
      opening = false;
    }
  };
}

function wordsFor(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The camera was not allowed.";
  return name === "NotFoundError" ? "No camera was found." : "The camera cannot be used. Another program may have it.";
}
