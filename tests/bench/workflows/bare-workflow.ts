/** A workflow that does nothing: what the Temporal server itself can do here. */
async function bareWorkflow(): Promise<string> {
  return "done";
}

export { bareWorkflow as "bare-workflow" };
