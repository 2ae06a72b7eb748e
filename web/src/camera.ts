/** A photo from the camera, in a dialog; the picture never leaves the page by itself. */

import { button, byId, makeCanvas } from "./dom";

export function setUpCamera(taken: (photo: Blob) => void, fail: (text: string) => void): () => Promise<void> {
  const dialog = byId<HTMLDialogElement>("camera-dialog");
  const video = byId<HTMLVideoElement>("video");

  const stop = (): void => {
    for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  dialog.addEventListener("close", stop);
  button("camera-cancel", () => dialog.close());
  button("shutter", () => {
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
    try {
      const ideal = { width: { ideal: 1920 }, height: { ideal: 1440 }, facingMode: "user" };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: ideal });
      dialog.showModal();
      await video.play();
    } catch (error) {
      stop();
      if (dialog.open) dialog.close();
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      fail(denied ? "The camera was not allowed." : "No camera was found.");
    }
  };
}
