import type { Request } from '../scheduler';

interface Reading {
  /** When the last token is read, ms. */
  readMs: number;
  /** Sum over the tokens of when each was due, ms. */
  dueMs: number;
  /** Sum over the tokens of how much later than that each is read, ms. */
  delayMs: number;
}

/**
 * Quality of experience of a stream, from 0 to 1 (Liu et al., "Andes: Defining and Enhancing
 * Quality-of-Experience in LLM-Based Text Streaming Services", arXiv 2404.16283, section 3). Whoever reads
 * expects the first token at TTFT and one every TBT after it, and reads no faster than that: tokens that
 * come early wait, late ones put off all that follow. QoE is 1 − S_delay / S_whole, where S_delay is the area
 * between the tokens as they are expected and as they are read, and S_whole the same if all of them
 * came with the last. 1: nothing was late; 0: everything came at once, and late.
 */
export class QualityOfExperience {
  readonly #readings = new Map<Request, Reading>();
  #sum = 0;
  #count = 0;

  /** Mean over the streams that have ended; null if there were none. */
  get mean(): number | null {
    return this.#count > 0 ? this.#sum / this.#count : null;
  }

  /** A request's next token came, which it counts already. */
  token(request: Request, nowMs: number): void {
    if (request.slo.class !== 'latency') return;
    const dueMs = request.tokenDueMs(request.generated - 1);
    let reading = this.#readings.get(request);
    if (reading === undefined) {
      reading = { readMs: Number.NEGATIVE_INFINITY, dueMs: 0, delayMs: 0 };
      this.#readings.set(request, reading);
    }
    reading.readMs = Math.max(nowMs, dueMs, reading.readMs + request.slo.tbt);
    reading.delayMs += reading.readMs - dueMs;
    reading.dueMs += dueMs;
  }

  /** The request's last token has come. */
  ended(request: Request): void {
    const reading = this.#readings.get(request);
    if (reading === undefined) return;
    this.#readings.delete(request);
    const wholeMs = request.generated * reading.readMs - reading.dueMs;
    this.#sum += reading.delayMs <= 0 ? 1 : 1 - reading.delayMs / wholeMs;
    this.#count++;
  }
}
