/** A grammar that cannot be followed. The message completes "The grammar …". */
export class BadGrammar extends Error {}
