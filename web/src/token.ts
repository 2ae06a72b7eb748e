/** Asks for the server's token, once for all requests that wait for it. */

import { button, byId } from "./dom";
import { Refusal } from "./engine";

const dialog = byId<HTMLDialogElement>("token-dialog");
button("token-cancel", () => dialog.close());
/** As the server's own rule: nothing else can be sent. */
const SENDABLE = /^[!-~]+$/;
const WRONG = "This token was not accepted.";
let asked: Promise<string> | null = null;

/** The token; `refused`: the one that the user gave before was wrong.
 *
 * @throws Refusal, when the user gives none.
 */
export function askToken(refused: boolean): Promise<string> {
  asked ??= ask(refused).finally(() => {
    asked = null;
  });
  return asked;
}

function ask(refused: boolean): Promise<string> {
  const field = byId<HTMLInputElement>("token");
  field.value = "";
  dialog.showModal();
  // Only now: an alert is heard when it appears.
  const said = byId("token-refused");
  said.textContent = refused ? WRONG : "";
  return new Promise((resolve, reject) => {
    let given: string | null = null;
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      const token = field.value.trim();
      if (!SENDABLE.test(token)) {
        said.textContent = "";
        requestAnimationFrame(() => (said.textContent = WRONG)); // heard again
        return;
      }
      given = token;
      dialog.close();
    };
    dialog.onclose = () => (given === null ? reject(new Refusal("no-token")) : resolve(given));
  });
}
