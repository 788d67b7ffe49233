/** Of the command line; the services say their own. */
export const version = "0.1.0";
