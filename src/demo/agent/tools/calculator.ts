import { evaluateBeside } from './arithmetic/evaluate-beside';
import type { AgentTool } from './tool';

export const calculator: AgentTool = {
  name: 'calculator',
  description: 'Evaluates an arithmetic expression, for example 12 * (3 * 64.5 + 18).',
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string', minLength: 1 } },
    required: ['expression'],
    additionalProperties: false,
  },
  async run({ expression }) {
    const text = String(expression);
    try {
      return await evaluateBeside(text);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`"${text.slice(0, 100)}" cannot be calculated. ${why}`);
    }
  },
};
