import type { Pixels } from '../../scheduler';

/** One turn of a conversation as a chat template sees it: tool calls are text already. */
export interface Turn {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** A user's images, in order. */
  images?: readonly TurnImage[];
}

/** An image, and where in its turn's content it stands, characters. */
interface TurnImage {
  at: number;
  image: PromptImage;
}

/** An image as it goes into a prompt. */
export interface PromptImage {
  /**
   * What stands for its embedding's rows, an id for each: beyond every vocabulary, and the same for the
   * same picture alone, so that prompts share images as they share text.
   */
  ids: Int32Array;
  /** Token ids that the model wants before and after it. */
  before: readonly number[];
  after: readonly number[];
  /** Undefined where the engine looks at none. */
  pixels: Pixels | undefined;
}

/** Where a model wants a turn's images. */
export interface ImageLayout {
  /** Before the turn's text, or where they stand in it. */
  place: 'before text' | 'in text';
  /** Written after each. */
  separator: string;
}

/** How the reply is to begin. */
export interface PromptOptions {
  /**
   * False closes the reasoning block before the reply starts, so that a thinking model answers at
   * once (WebLLM's `extra_body.enable_thinking`). Default true: the model decides.
   */
  thinking?: boolean;
  /** True: the last turn, the assistant's, is to be continued rather than answered. Default false. */
  continued?: boolean;
  /** Stops and throws `context_length_exceeded` where the prompt has far more tokens than this. */
  most?: number;
  /** Default: before the text, with nothing between. */
  images?: ImageLayout;
}
