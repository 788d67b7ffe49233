/** The demo did not go as it should; the message says where. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}
