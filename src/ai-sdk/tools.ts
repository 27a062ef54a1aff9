import type {
  LanguageModelV4CallOptions,
  LanguageModelV4ToolChoice,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type { ChatCompletionParams, Tool } from '../client';
import { schemaOf } from './schema';

type GivenTool = NonNullable<LanguageModelV4CallOptions['tools']>[number];

/** Arguments are always held to their schema, so `strict` says nothing new. */
export function functionTools(given: readonly GivenTool[], warnings: SharedV4Warning[]): Tool[] {
  return given.flatMap((tool): Tool[] => {
    if (tool.type === 'provider') {
      warnings.push({
        type: 'unsupported',
        feature: `provider-defined tool ${tool.id}`,
        details: 'It was left out: only function tools run in the page.',
      });
      return [];
    }
    const { name, description, inputSchema, inputExamples } = tool;
    if (inputExamples?.length) {
      warnings.push({
        type: 'unsupported',
        feature: `inputExamples of the tool ${name}`,
        details: 'addToolInputExamplesMiddleware puts them into its description.',
      });
    }
    return [
      {
        type: 'function',
        function: {
          name,
          description: description ?? undefined,
          parameters: schemaOf(inputSchema),
        },
      },
    ];
  });
}

export function toolChoiceOf(
  choice: LanguageModelV4ToolChoice,
): NonNullable<ChatCompletionParams['tool_choice']> {
  return choice.type === 'tool'
    ? { type: 'function', function: { name: choice.toolName } }
    : choice.type;
}
