import type { AgentTool } from './tool';

type Evaluate = (expression: string) => unknown;

let evaluator: Promise<Evaluate> | undefined;

/** mathjs is large, so it comes when the first sum does. */
async function load(): Promise<Evaluate> {
  const { all, create } = await import('mathjs/number');
  const math = create(all);
  const evaluate = math.evaluate.bind(math);
  const refuse = () => {
    throw new Error('not available here');
  };
  // What a formula could use to reach beyond arithmetic (mathjs docs, "Security").
  math.import(
    {
      import: refuse,
      createUnit: refuse,
      evaluate: refuse,
      parse: refuse,
      simplify: refuse,
      derivative: refuse,
    },
    { override: true },
  );
  return evaluate;
}

/** Fetches mathjs ahead of the first sum. */
export function warmUpCalculator(): void {
  evaluator ??= load();
  evaluator.catch(() => {
    evaluator = undefined; // the first sum tries again, and tells
  });
}

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
    evaluator ??= load();
    const evaluate = await evaluator;
    const value = evaluate(String(expression));
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new Error(`"${String(expression)}" has no finite value.`);
    }
    return Number(value.toPrecision(12));
  },
};
