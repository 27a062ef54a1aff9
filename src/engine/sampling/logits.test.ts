import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyBitmask, applyPenalties, processLogits } from './logits';
import { SequenceSampling } from './sequence-sampling';
import { TokenCounts } from './token-counts';

const row = (...logits: number[]) => Float32Array.from(logits);

function counted(...tokens: number[]): TokenCounts {
  const counts = new TokenCounts();
  for (const token of tokens) counts.add(token);
  return counts;
}

describe('a bitmask', () => {
  it('leaves allowed tokens as they are and takes the others out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bits) => {
        const mask = new Int32Array(Math.ceil(bits.length / 32));
        bits.forEach((bit, i) => {
          mask[i >> 5] |= (bit & 1) << (i & 31);
        });
        const logits = new Float32Array(bits.length).fill(1);
        applyBitmask(logits, mask);
        expect([...logits]).toEqual([...bits].map((bit) => (bit & 1 ? 1 : -Infinity)));
      }),
    );
  });

  it('may reach beyond the row', () => {
    const logits = row(1, 2);
    applyBitmask(logits, Int32Array.of(0, 0));
    expect([...logits]).toEqual([-Infinity, -Infinity]);
  });
});

describe('penalties', () => {
  it('presence once, frequency for each time, off what was generated', () => {
    const logits = row(1, 2, 3);
    applyPenalties(logits, counted(1, 1, 2), 0.5, 0.25, 1);
    expect([...logits]).toEqual([1, 1, 2.25]);
  });

  it('repetition divides what is positive and multiplies what is not', () => {
    const logits = row(4, -4, 4);
    applyPenalties(logits, counted(0, 1), 0, 0, 2);
    expect([...logits]).toEqual([2, -8, 4]);
  });

  it('repetition comes after presence and frequency', () => {
    const logits = row(1);
    applyPenalties(logits, counted(0), 2, 0, 2);
    expect([...logits]).toEqual([-2]);
  });
});

describe('a row of logits', () => {
  it('is masked, biased and penalised in this order', () => {
    const sampling = { temperature: 0, topP: 1, seed: 1 };
    const sequence = new SequenceSampling({
      sampling: { ...sampling, logitBias: { 0: 100, 1: -3 }, repetitionPenalty: 2 },
      generated: [1],
    });
    const logits = row(1, 1, 1);
    processLogits(logits, sequence, Int32Array.of(0b110));
    expect([...logits]).toEqual([-Infinity, -4, 1]);
  });

  it('with ignore_eos has no end tokens, unless a grammar allows nothing else', () => {
    const sampling = { temperature: 0, topP: 1, seed: 1, ignoreEos: true };
    const sequence = new SequenceSampling({ sampling, stopTokens: [0, 2] });
    const logits = row(9, 1, 9);
    processLogits(logits, sequence);
    expect([...logits]).toEqual([-Infinity, 1, -Infinity]);
    const atEnd = row(9, 1, 9);
    processLogits(atEnd, sequence, Int32Array.of(0b100));
    expect([...atEnd]).toEqual([-Infinity, -Infinity, 9]);
  });
});

describe('token counts', () => {
  it('count', () => {
    const counts = counted(5, 7, 5);
    expect([...counts]).toEqual([
      [5, 2],
      [7, 1],
    ]);
    expect(counts.size).toBe(2);
  });
});
