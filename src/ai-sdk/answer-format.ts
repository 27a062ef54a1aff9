import type { LanguageModelV4CallOptions, SharedV4Warning } from '@ai-sdk/provider';
import type { ChatCompletionParams, ResponseFormat, Tool } from '../client';
import { schemaOf } from './schema';
import { functionTools, toolChoiceOf } from './tools';

type JsonFormat = Extract<
  NonNullable<LanguageModelV4CallOptions['responseFormat']>,
  { type: 'json' }
>;

/** What a call's tools and response format come to. */
export interface AnswerFormat {
  params: Pick<ChatCompletionParams, 'tools' | 'tool_choice' | 'response_format'>;
  /** What the model is to be told of it. */
  instruction?: string;
  /** The tool whose call is the answer itself, in JSON. */
  answerTool?: string;
}

/**
 * An answer is held to JSON, or to tool calls among words, by one grammar. Where a call wants both (an
 * agent that ends with an object), giving the object is one more tool, and one of the tools is to be
 * called.
 */
export function answerFormat(
  options: Pick<LanguageModelV4CallOptions, 'tools' | 'toolChoice' | 'responseFormat'>,
  warnings: SharedV4Warning[],
): AnswerFormat {
  const { responseFormat } = options;
  const tools = functionTools(options.tools ?? [], warnings);
  const toolChoice = options.toolChoice ?? { type: 'auto' };
  const json = responseFormat?.type === 'json' ? responseFormat : undefined;
  const mustCall = toolChoice.type === 'required' || toolChoice.type === 'tool';

  if (json !== undefined && tools.length > 0 && toolChoice.type === 'auto') {
    const answer = answerTool(json, tools);
    return {
      params: { tools: [...tools, answer], tool_choice: 'required' },
      answerTool: answer.function.name,
    };
  }
  return {
    params: {
      ...(tools.length > 0 && { tools }),
      ...((tools.length > 0 || mustCall) && { tool_choice: toolChoiceOf(toolChoice) }),
      ...(json !== undefined && !mustCall && { response_format: formatOf(json) }),
    },
    instruction: json === undefined || mustCall ? undefined : instructionOf(json),
  };
}

function formatOf({ schema, name }: JsonFormat): ResponseFormat {
  if (!schema) return { type: 'json_object' };
  return {
    type: 'json_schema',
    json_schema: { name: name ?? 'response', schema: schemaOf(schema), strict: true },
  };
}

/** The AI SDK's own words for models that are not told of a schema otherwise. */
function instructionOf(json: JsonFormat): string {
  if (!json.schema) return 'You MUST answer with JSON.';
  return [
    ...titleOf(json),
    'JSON schema:',
    JSON.stringify(schemaOf(json.schema)),
    'You MUST answer with a JSON object that matches the JSON schema above.',
  ].join('\n');
}

function answerTool(json: JsonFormat, others: readonly Tool[]): Tool {
  let name = 'json';
  while (others.some((tool) => tool.function.name === name)) name += '_';
  return {
    type: 'function',
    function: {
      name,
      description: ['Gives the final answer, as a JSON object.', ...titleOf(json)].join(' '),
      parameters: json.schema ? schemaOf(json.schema) : { type: 'object' },
    },
  };
}

function titleOf({ name, description }: JsonFormat): string[] {
  const title = [name, description].filter(Boolean).join(': ');
  return title === '' ? [] : [title];
}
