import manifest from "../package.json" with { type: "json" };

/** The version that this service says it is. */
export const version: string = manifest.version;
