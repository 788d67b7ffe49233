/** Every workflow under its wire name; what the bundle is built from. */
export { sessionStartWorkflow as "session-start-workflow" } from "./session-start-workflow.ts";
