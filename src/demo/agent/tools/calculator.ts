import type { AgentTool } from './tool';

type Evaluate = (expression: string) => unknown;

/** Longer than any sum that is meant. */
const MAX_CHARACTERS = 500;

/** What takes no longer for a large number than for a small one, and makes no lists. */
const FUNCTIONS = new Set([
  ...['abs', 'ceil', 'floor', 'round', 'sign', 'sqrt', 'cbrt', 'square', 'cube', 'exp'],
  ...['log', 'log2', 'log10', 'pow', 'mod', 'min', 'max', 'hypot'],
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2', 'sinh', 'cosh', 'tanh'],
]);
const CONSTANTS = new Set(['pi', 'e', 'tau', 'phi']);
const OPERATORS = new Set(['+', '-', '*', '/', '^', '%', '!']);

let evaluator: Promise<Evaluate> | undefined;

/** mathjs is large, so it comes when the first sum does. */
async function load(): Promise<Evaluate> {
  const { all, create } = await import('mathjs/number');
  const { parse } = create(all);
  return (expression) => {
    if (expression.length > MAX_CHARACTERS) {
      throw new Error(`An expression has at most ${MAX_CHARACTERS} characters.`);
    }
    const sum = parse(expression);
    sum.traverse((node) => check({ ...node, type: node.type }));
    return sum.evaluate();
  };
}

/** Throws for anything beyond arithmetic: assignments, lists, loops and what else mathjs knows. */
function check(node: { type: string; op?: unknown; name?: unknown }): void {
  const { type, op, name } = node;
  if (type === 'ConstantNode' || type === 'ParenthesisNode' || type === 'FunctionNode') return;
  if (type === 'OperatorNode' && OPERATORS.has(String(op))) return;
  const known = FUNCTIONS.has(String(name)) || CONSTANTS.has(String(name));
  if (type === 'SymbolNode' && known) return;
  throw new Error(`${String(op ?? name ?? type)} is not available here.`);
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
