/** Asks for the server's token, once for all requests that wait for it. */

import { byId } from "./dom";

let asked: Promise<string> | null = null;

export function askToken(): Promise<string> {
  asked ??= ask().finally(() => {
    asked = null;
  });
  return asked;
}

function ask(): Promise<string> {
  const dialog = byId<HTMLDialogElement>("token-dialog");
  const field = byId<HTMLInputElement>("token");
  field.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    byId("token-form").addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        dialog.close();
        resolve(field.value);
      },
      { once: true },
    );
  });
}
