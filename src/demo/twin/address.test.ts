import { describe, expect, it } from 'vitest';
import { readAddress, writeAddress } from './address';

describe('the address', () => {
  it('gives the same page again', () => {
    const choice = { scenario: 'rush', load: 2, a: 'tempo', b: 'edf', seed: 7 } as const;
    const query = writeAddress(choice);
    expect(query).toBe('?s=rush&load=2&a=tempo&b=edf&seed=7');
    expect(readAddress(query)).toEqual({ choice, problems: [] });
  });

  it('says what it cannot be, and keeps the rest', () => {
    const { choice, problems } = readAddress('?s=storm&load=9&a=tempo&b=__proto__&seed=-1&x=1');
    expect(choice).toEqual({ a: 'tempo' });
    expect(problems).toEqual([
      'The address says s=storm, which is not a scenario (calm, rush, document, agent, memory, reasoning).',
      'The address says load=9, which is not a number from 0.5 to 4.',
      'The address says b=__proto__, which is not a policy.',
      'The address says seed=-1, which is not a whole number from 0 to 999999.',
    ]);
    expect(readAddress('?load=&seed=1e3').problems).toHaveLength(2);
    expect(readAddress('?s=toString').problems).toHaveLength(1);
  });

  it('asks for nothing where it says nothing', () => {
    expect(readAddress('')).toEqual({ choice: {}, problems: [] });
  });
});
