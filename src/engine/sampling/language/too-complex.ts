/** A language or schema that would take more time or memory than it may. The message completes "It …". */
export class TooComplex extends Error {}
