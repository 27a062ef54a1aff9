import { describe, expect, it } from 'vitest';
import { Request } from '../scheduler';
import { QualityOfExperience } from './qoe';

/** The QoE of a stream whose first token is due at 100 ms, and one every 50 ms, with tokens at these times, ms. */
function qoeOf(...times: number[]): number | null {
  const qoe = new QualityOfExperience();
  const slo = { class: 'latency' as const, ttft: 100, tbt: 50 };
  const request = new Request({ id: 'a', app: 'a', slo, promptTokens: 1, maxTokens: 9 }, 0, 0);
  for (const atMs of times) {
    request.generated++;
    qoe.token(request, atMs);
  }
  qoe.ended(request);
  return qoe.mean;
}

describe('quality of experience', () => {
  it('is 1 where every token is there when it is expected, however early', () => {
    expect(qoeOf(100, 150, 200)).toBe(1);
    expect(qoeOf(1, 2, 3)).toBe(1);
  });

  it('is what is lost of the area between what is expected and everything at the end', () => {
    // Due at 100, 150, 200; read at 160, 210, 260: 60 ms late each. All at 260 would be 160 + 110 + 60.
    expect(qoeOf(160, 161, 162)).toBeCloseTo(1 - 180 / 330);
  });

  it('has a late token put off those that follow, and early ones make up for it', () => {
    // Read at 100, 230, 280 and 330, where 150, 200 and 250 were due: 3 · 80 late; all at 330: 230 + 180 + 130 + 80.
    expect(qoeOf(90, 230, 231, 232)).toBeCloseTo(1 - 240 / 620);
    // Two early ones are read by 150: what comes at 200 is in time.
    expect(qoeOf(10, 20, 200)).toBe(1);
  });

  it('is 0 where all there is comes at once, and late', () => {
    expect(qoeOf(400)).toBe(0);
  });

  it('says nothing of answers that are no streams', () => {
    const qoe = new QualityOfExperience();
    const slo = { class: 'best-effort' as const };
    const request = new Request({ id: 'a', app: 'a', slo, promptTokens: 1, maxTokens: 9 }, 0, 0);
    request.generated = 1;
    qoe.token(request, 5);
    qoe.ended(request);
    expect(qoe.mean).toBeNull();
  });
});
