import type { TempoError } from '../scheduler';

/** A loaded model that turns texts into vectors. */
export interface Embedder {
  readonly model: string;
  /** The vectors are made up, not inferred. */
  readonly simulated: boolean;
  /** GPU or device profile, in words. */
  readonly device: string;
  /** Tokens that one input may have. */
  readonly contextWindow: number;
  /** Inputs that one forward takes. */
  readonly maxBatch: number;
  /** Token ids are below it. */
  readonly vocabSize: number;
  /** Resolves, once, if the device is lost; nothing can be computed then. */
  readonly lost: Promise<TempoError>;
  /** A text as the model is to see it, what the model wants around it included; all of it, however long. */
  encode(text: string): Int32Array;
  /**
   * One forward: a vector for each input. All are to have the same number of tokens: what WebLLM pads the
   * shorter with changes their vectors (in v0_2_80's snowflake-arctic-embed-s the attention mask has no
   * effect). Rejects with `engine_lost` where the device is gone.
   */
  embed(inputs: readonly Int32Array[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}
