import type { ChatCompletionChunk, TextCompletionChunk, TextLogprobs } from '../client';
import type { ChatCompletionFinishReason, ChatCompletionTokenLogprob } from './chat-types';

/** What comes at once of one choice: of a chat answer, or of a text. */
export interface Piece {
  index: number;
  text: string;
  calls: NonNullable<ChatCompletionChunk['choices'][number]['delta']['tool_calls']>;
  logprobs: ChatCompletionTokenLogprob[];
  finish: ChatCompletionFinishReason | null;
  /** Ids of the tokens that it comes from. */
  tokens: number[];
  /** How many the prompt has; told with the first. */
  promptTokens: number;
}

export function piecesOf(chunk: ChatCompletionChunk | TextCompletionChunk): Piece[] {
  return chunk.object === 'text_completion' ? textPieces(chunk) : chatPieces(chunk);
}

function chatPieces({ choices }: ChatCompletionChunk): Piece[] {
  return choices.map(({ index, delta, logprobs, finish_reason: finish }) => ({
    index,
    text: delta.content ?? '',
    calls: delta.tool_calls ?? [],
    logprobs: logprobs?.content ?? [],
    finish,
    tokens: delta.token_ids ?? [],
    promptTokens: delta.prompt_token_ids?.length ?? 0,
  }));
}

function textPieces({ choices }: TextCompletionChunk): Piece[] {
  return choices.map(({ index, text, logprobs, finish_reason: finish, ...ids }) => ({
    index,
    text,
    calls: [],
    logprobs: logprobs === null ? [] : inChatShape(logprobs),
    finish,
    tokens: ids.token_ids ?? [],
    promptTokens: ids.prompt_token_ids?.length ?? 0,
  }));
}

/** WebLLM tells the logprobs of texts as those of chat. */
function inChatShape(logprobs: TextLogprobs): ChatCompletionTokenLogprob[] {
  return logprobs.tokens.map((token, i) => ({
    ...tokenOf(token, logprobs.token_logprobs[i]),
    top_logprobs: Object.entries(logprobs.top_logprobs[i] ?? {}).map(([other, logprob]) =>
      tokenOf(other, logprob),
    ),
  }));
}

function tokenOf(token: string, logprob: number) {
  return { token, bytes: [...new TextEncoder().encode(token)], logprob };
}
