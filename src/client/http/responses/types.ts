/** The OpenAI API's responses, as far as they are answered here (platform.openai.com/docs/api-reference/responses). */
import type { ChoiceLogprobs, Usage } from '../../../worker/protocol';
import type { Fields } from '../call';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export type Logprobs = ChoiceLogprobs['content'];

export interface OutputText {
  type: 'output_text';
  text: string;
  annotations: [];
  logprobs: Logprobs;
}

export interface MessageItem {
  id: string;
  type: 'message';
  status: ItemStatus;
  role: 'assistant';
  content: OutputText[];
}

export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  status: ItemStatus;
  call_id: string;
  name: string;
  /** JSON text. */
  arguments: string;
}

/** A thinking model's reasoning: as it is, or as its own summary where the request asks for one. */
export interface ReasoningItem {
  id: string;
  type: 'reasoning';
  status: ItemStatus;
  summary: { type: 'summary_text'; text: string }[];
  content?: { type: 'reasoning_text'; text: string }[];
}

export type OutputItem = MessageItem | FunctionCallItem | ReasoningItem;

export interface ResponseUsage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
  /** How the request fared. */
  extra: Usage['extra'];
}

export interface ResponseObject {
  id: string;
  object: 'response';
  /** Unix time, seconds. */
  created_at: number;
  completed_at: number | null;
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  model: string;
  /** The text was made up by the simulated engine. */
  simulated: boolean;
  output: OutputItem[];
  error: { code: string; message: string } | null;
  incomplete_details: { reason: 'max_output_tokens' } | null;
  usage: ResponseUsage | null;
  /** Nothing can be retrieved later. */
  store: false;
  background: false;
  previous_response_id: null;
  /** What the request said. */
  [echoed: string]: unknown;
}

/** One event, but for its `sequence_number`. */
export type ResponseEvent = Fields & { type: string };
