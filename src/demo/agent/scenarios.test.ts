import { describe, expect, it } from 'vitest';
import { SCENARIOS, type Scenario, scenarioFor } from './scenarios';
import { type Json, runTool } from './tools';

/** Plays a scenario as the agent would: every scripted call runs, refusals included. */
async function play({ rounds }: Scenario) {
  const results: { tool: string; ok: boolean; result: Json }[] = [];
  const found = {
    results: (tool: string) =>
      results.filter((r) => r.tool === tool && r.ok).map(({ result }) => result),
  };
  for (const round of rounds) {
    const { content, tool_calls = [] } = round(found);
    if (tool_calls.length === 0) return { answer: content ?? '', results };
    for (const { name, arguments: args } of tool_calls) {
      const { ok, result } = await runTool(name, JSON.stringify(args));
      results.push({ tool: name, ok, result });
    }
  }
  throw new Error('the script has no answer');
}

describe('the agent’s scripts', () => {
  it.each(SCENARIOS)('use at least four tools and end in an answer: $task', async (scenario) => {
    const { answer, results } = await play(scenario);
    expect(results.filter((r) => r.ok).length).toBeGreaterThanOrEqual(4);
    expect(answer).not.toMatch(/NaN|undefined/);
  });

  it('take their numbers from what the tools said', async () => {
    const [guests, diesel] = await Promise.all([play(SCENARIOS[0]), play(SCENARIOS[1])]);
    expect(guests.answer).toContain('2,538.00 euros');
    expect(guests.answer).toContain('608 pounds');
    expect(diesel.answer).toContain('47 days');
    expect(diesel.answer).toContain('476 US gallons');
  });

  it('show once how a refused call is mended', async () => {
    const { results } = await play(SCENARIOS[2]);
    expect(results.filter((r) => !r.ok).map((r) => r.tool)).toEqual(['days_between']);
  });

  it('do what they can with a task of the reader’s own', async () => {
    const { answer } = await play(scenarioFor('What is 23 kg in lb, and 12*(3+4)?'));
    expect(answer).toContain('50.7063 lb');
    expect(answer).toContain('**84**');
    expect(answer).toContain('simulated');
    const search = await play(scenarioFor('How much luggage may a guest bring?'));
    expect(search.answer).toContain('23 kilograms');
  });
});
