/**
 * Messages to the tokens that a model is fed, as WebLLM 0.2.79 to 0.2.86 does it: `Conversation`'s
 * `getPromptArray` makes one text per turn, and `LLMChatPipeline.getInputData` encodes each of them
 * by itself, after the template's `system_prefix_token_ids` (a tokenizer may merge across what
 * would be one text, so the pieces matter). The template's `offset`, `use_function_calling` and
 * `function_string` are older than both and unused.
 *
 * Differences, on purpose: a message's text is inserted as it is. WebLLM inserts it with
 * `String.replace`, which reads `$$`, `$&` and `$'` in it as patterns (a message `$$x$$` reaches the
 * model as `$x$`), and removes `{function_string}` from it. And a speaker's name is no part of a turn:
 * WebLLM writes it in the place of the role's header, where it could be any role's.
 */
import { type SequenceImage, TempoError } from '../../scheduler';
import type { ConversationTemplate, Tokenizer } from '../step-engine';
import type { ImageLayout, PromptImage, PromptOptions, Turn } from './messages';

/** A field that newer configurations have (WebLLM 0.2.86). */
export interface ChatTemplate extends ConversationTemplate {
  /** False leaves the system turn out where its message is empty. */
  render_empty_system_message?: boolean;
}

/** What `enable_thinking: false` starts the reply with. */
const EMPTY_REASONING = '<think>\n\n</think>\n\n';

const OPEN_REASONING = /<think>\s*$/;

const PLACEHOLDER = {
  system: '{system_message}',
  user: '{user_message}',
  assistant: '{assistant_message}',
  tool: '{tool_message}',
  function: '{function_string}',
};

/** A text to be encoded by itself, or an image. */
export type PromptPiece = string | PromptImage;

/** What is fed, and where in it there are images. */
export interface EncodedPrompt {
  tokens: Int32Array;
  images: SequenceImage[];
}

/**
 * The prompt as pieces to be encoded one by one: the system turn, each message, the reply's header, or
 * instead of it the assistant's last turn without its end, where that is to be continued. Throws
 * invalid_request, naming the message, where the turns do not make a conversation.
 */
export function promptPieces(
  template: ChatTemplate,
  turns: readonly Turn[],
  options: PromptOptions = {},
): PromptPiece[] {
  checkTurns(template, turns, options);
  const hasSystem = turns[0].role === 'system';
  const system = systemText(template, hasSystem ? turns[0].content : template.system_message);
  const messages = hasSystem ? turns.slice(1) : turns;

  const pieces: PromptPiece[] = system === '' ? [] : [system];
  let i = 0;
  for (const turn of messages) {
    if (turn.role === 'system') {
      pieces.push(systemText(template, turn.content));
      continue;
    }
    const roleFollowsSystem =
      template.add_role_after_system_message === false && system !== '' && i === 0;
    const header = roleFollowsSystem ? '' : headerOf(template, turn) + contentSep(template);
    const isBegun = options.continued && turn === messages.at(-1);
    const sep = template.seps[i % template.seps.length];
    if (turn.images?.length) pieces.push(...piecesOf(template, turn, header, sep, options.images));
    else {
      pieces.push(
        isBegun
          ? header + emptyReasoning(header, options) + begunBody(template, turn)
          : header + bodyOf(template, turn) + sep,
      );
    }
    i++;
  }
  if (!options.continued) pieces.push(replyHeader(template, options));
  return pieces;
}

/**
 * Whether a system message is a turn like any other, so that it may stand anywhere. In other templates
 * it is only how the first turn begins (Llama 2, Gemma).
 */
export function hasSystemTurns(template: ChatTemplate): boolean {
  const [before, after] = template.system_template.split(PLACEHOLDER.system);
  return template.add_role_after_system_message !== false && before !== '' && Boolean(after);
}

/** Whether the prompt opens a reasoning block that the reply is to close (Qwen3.5, DeepSeek-R1). */
export function replyStartsInReasoning(
  template: ChatTemplate,
  options: PromptOptions = {},
): boolean {
  return !options.continued && OPEN_REASONING.test(replyHeader(template, options));
}

/** The tokens of `promptPieces`, ready to be fed. */
export function encodePrompt(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  turns: readonly Turn[],
  options: PromptOptions = {},
): EncodedPrompt {
  const runs: ArrayLike<number>[] = [template.system_prefix_token_ids ?? []];
  const images: SequenceImage[] = [];
  const { most = Number.POSITIVE_INFINITY } = options;
  let length = runs[0].length;
  const add = (ids: ArrayLike<number>) => {
    runs.push(ids);
    length += ids.length;
    if (length <= 2 * most) return;
    const sentence = `The prompt has far more than the ${most} tokens that this engine takes. Shorten the messages.`;
    throw new TempoError('context_length_exceeded', sentence, { param: 'messages' });
  };
  for (const piece of promptPieces(template, turns, options)) {
    if (typeof piece === 'string') {
      add(tokenizer.encode(piece));
      continue;
    }
    add(piece.before);
    images.push({ at: length, rows: piece.ids.length, pixels: piece.pixels });
    add(piece.ids);
    add(piece.after);
  }
  const tokens = new Int32Array(length);
  let at = 0;
  for (const run of runs) {
    tokens.set(run, at);
    at += run.length;
  }
  return { tokens, images };
}

/** A turn with images. As WebLLM has it, the texts around an image are encoded each by itself. */
function piecesOf(
  template: ChatTemplate,
  turn: Turn,
  header: string,
  sep: string,
  { place, separator }: ImageLayout = { place: 'before text', separator: '' },
): PromptPiece[] {
  const { images = [] } = turn;
  if (place === 'before text') {
    const shown = images.flatMap(({ image }) => [image, separator]);
    return [header, ...shown, bodyOf(template, turn) + sep].filter((piece) => piece !== '');
  }
  const text = header + bodyOf(template, turn) + sep;
  const start = header.length + bodyStart(template, turn);
  const pieces: PromptPiece[] = [];
  let from = 0;
  for (const { at, image } of images) {
    pieces.push(text.slice(from, start + at), image, separator);
    from = start + at;
  }
  return [...pieces, text.slice(from)].filter((piece) => piece !== '');
}

/** What the prompt ends with. */
function replyHeader(template: ChatTemplate, { thinking = true }: PromptOptions): string {
  const { assistant } = template.roles;
  return thinking
    ? assistant + (template.role_empty_sep ?? ': ')
    : assistant + contentSep(template) + EMPTY_REASONING;
}

function checkTurns(
  template: ChatTemplate,
  turns: readonly Turn[],
  { continued }: PromptOptions,
): void {
  if (template.seps.length === 0) {
    throw new TempoError(
      'invalid_request',
      'The model’s chat template has no separators (`seps`).',
    );
  }
  if (turns.length === 0) {
    throw new TempoError('invalid_request', 'There must be a message.', { param: 'messages' });
  }
  turns.forEach((turn, i) => {
    const param = `messages[${i}].role`;
    if (turn.role === 'system') {
      if (i === 0 || hasSystemTurns(template)) return;
      throw new TempoError(
        'invalid_request',
        'This model’s chat template has a system message at the start only. Put the text into the first message, or into a user’s.',
        { param },
      );
    }
    if (template.roles[turn.role] === undefined) {
      throw new TempoError(
        'invalid_request',
        `This model’s chat template has no role "${turn.role}"; it has ${Object.keys(template.roles).join(', ')}.`,
        { param },
      );
    }
  });
  if (turns.length === 0) {
    throw new TempoError('invalid_request', 'A prompt needs at least one message.', {
      param: 'messages',
    });
  }
  if (continued && turns.at(-1)?.role !== 'assistant') {
    throw new TempoError(
      'invalid_request',
      'continue_final_message needs an assistant message at the end, to continue it.',
      { param: `messages[${turns.length - 1}].role` },
    );
  }
}

function systemText(template: ChatTemplate, message: string): string {
  if (message === '' && template.render_empty_system_message === false) return '';
  return insert(template.system_template, PLACEHOLDER.system, message);
}

function headerOf(template: ChatTemplate, turn: Turn): string {
  return turn.role === 'system' ? '' : (template.roles[turn.role] ?? '');
}

function bodyOf(template: ChatTemplate, turn: Turn): string {
  if (turn.role === 'system') return turn.content;
  const body = template.role_templates?.[turn.role];
  if (body === undefined) return turn.content;
  // WebLLM's conversations never use the template's `function_string`.
  const withoutFunctions = insert(body, PLACEHOLDER.function, '');
  return insert(withoutFunctions, PLACEHOLDER[turn.role], turn.content);
}

/** Where in a turn's body its content begins. */
function bodyStart(template: ChatTemplate, turn: Turn): number {
  return Math.max(0, bodyOf(template, { ...turn, content: '\0' }).indexOf('\0'));
}

/** The body of an answer that goes on: as far as its text, without what the template has after it. */
function begunBody(template: ChatTemplate, turn: Turn): string {
  const body = template.role_templates?.assistant ?? PLACEHOLDER.assistant;
  const before = insert(body, PLACEHOLDER.function, '').split(PLACEHOLDER.assistant)[0];
  return before + turn.content;
}

/** An answer that has begun is past its reasoning: what closes the block that `header` opens, if it does. */
function emptyReasoning(header: string, { thinking = true }: PromptOptions): string {
  if (OPEN_REASONING.test(header)) return '\n</think>\n\n';
  return thinking ? '' : EMPTY_REASONING;
}

function contentSep(template: ChatTemplate): string {
  return template.role_content_sep ?? ': ';
}

/** `text` with the first `placeholder` replaced by `value`, whatever characters it holds. */
function insert(text: string, placeholder: string, value: string): string {
  const at = text.indexOf(placeholder);
  return at < 0 ? text : text.slice(0, at) + value + text.slice(at + placeholder.length);
}
