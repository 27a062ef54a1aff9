/** One turn of a conversation as a chat template sees it: text only, tool calls already text. */
export interface Turn {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
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
}
