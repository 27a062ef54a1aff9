import type { Policy, PolicyOptions } from '../policy';

/**
 * What is said of a policy. No policy needs it to run, so its file exports it apart from the entry; what
 * pages need of it is in ./about.ts.
 */
export interface PolicyAbout extends PolicyLine, PolicyOrder {
  /** Where it is published; undefined for what is this project's own. */
  source?: string;
}

export interface PolicyLine {
  /** Whose rule it is. */
  origin: string;
  /** What it does, in one sentence. */
  line: string;
}

export interface PolicyOrder {
  /** Its order, as the end of a sentence: "All 8 places taken: …". */
  order: string;
  /** The number that tells why it is a request's turn. Default: none. */
  goesBy?: 'due' | 'to-go' | 'served';
  /** What is said in place of its order where that says too little. */
  words?: PolicyWords;
}

/**
 * Sentences without their full stop. In them `{prompt}` stands for the prompt tokens that the step takes,
 * and `{order}` for the policy's order.
 */
interface PolicyWords {
  /** Why a step draws a request's next token. */
  decodes?: string;
  /** Why a step reads of a request's prompt. */
  reads?: string;
  /** Why a request without pages is left out although there are places. */
  waits?: string;
  /** Why one that has pages is. */
  pauses?: string;
  /** Why one without a deadline is, pages or not. */
  unhurried?: string;
}

/** A policy as its file offers it to the registry, ./index.ts. */
export interface PolicyEntry {
  /** What `setPolicy` takes. */
  name: string;
  /** Other names under which it is published, which are taken, too. */
  aliases?: readonly string[];
  make(options: PolicyOptions): Policy;
}
