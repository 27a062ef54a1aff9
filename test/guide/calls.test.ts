/** What the README and the guide on requests say is what is called here, on the simulated engine. */
import { createTempo, type Tempo, type TempoOptions } from 'tempo-llm';
import { TempoServer } from 'tempo-llm/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { blocksOf, read } from './markdown';

const made: { tempo: Tempo; options: TempoOptions }[] = [];
const shown: string[] = [];

vi.mock('tempo-llm', async (original) => {
  const real: typeof import('tempo-llm') = await original();
  const simulated = (options: TempoOptions) => {
    const tempo = real.createTempo({
      engine: 'simulated',
      model: 'server-8b-h100',
      host: new TempoServer(),
    });
    made.push({ tempo, options });
    return tempo;
  };
  return { ...real, createTempo: simulated };
});

vi.stubGlobal('show', (text: string) => shown.push(text));
vi.stubGlobal('text', 'The Moon pulls on the water.');

afterEach(async () => {
  shown.length = 0;
  for (const { tempo } of made.splice(0)) await tempo.dispose();
});

/** A file without what the guide leaves to its reader. */
function shownPart(file: string): string {
  const lines = read(file).split('\n');
  const left = /^(declare |export \{|import type )/;
  return lines
    .filter((line) => !left.test(line))
    .join('\n')
    .replace(/\n\n+/g, '\n\n')
    .trim();
}

/** The TypeScript of a guide's section, or of all of it. */
const code = (guide: string, only?: string) =>
  blocksOf(read(guide))
    .filter(({ language, section }) => language === 'ts' && (only ?? section) === section)
    .map(({ text }) => text)
    .join('\n')
    .trim();

describe('the README', () => {
  it('has the calls that run', async () => {
    expect(code('README.md', 'Embedding')).toBe(shownPart('test/guide/embedding.ts'));
    const { choices } = await import('./embedding');
    expect(made).toMatchObject([{ options: { model: 'Qwen3-0.6B-q4f16_1-MLC' } }]);
    expect(shown.join('')).toMatch(/\w{3}/);
    expect(choices[0].message.content).toMatch(/\w{3}/);
  });
});

describe('the guide on requests', () => {
  it('has the calls that run', async () => {
    expect(code('docs/guide/requests.md')).toBe(shownPart('test/guide/requests.ts'));
    const tempo = createTempo({ model: 'any' });
    vi.stubGlobal('tempo', tempo);
    vi.stubGlobal('completions', tempo.app('chat').chat.completions);
    vi.stubGlobal('messages', [{ role: 'user', content: 'Hello' }]);
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const { met, plan, usage } = await import('./requests');
    expect(log).toHaveBeenCalledWith(expect.stringMatching(/^First served in about \d/));
    expect(usage.completion_tokens).toBeGreaterThan(0);
    expect(plan.choices[0].finish_reason).toBe('stop');
    expect(met).toBe(true);
  });
});
