/** Says on stderr how far jobs have come: a line for each that is done, and on a terminal a live one for those under way. */
export class ProgressLine {
  readonly #total: number;
  readonly #live = process.stderr.isTTY;
  readonly #running = new Map<number, { label: string; share: number }>();
  #done = 0;
  #shownMs = 0;

  constructor(total: number) {
    this.#total = total;
  }

  started(slot: number, label: string): void {
    this.#running.set(slot, { label, share: 0 });
    this.#show();
  }

  progress(slot: number, share: number): void {
    const job = this.#running.get(slot);
    if (job !== undefined) job.share = share;
    this.#show();
  }

  done(slot: number, summary: string): void {
    this.#running.delete(slot);
    this.#done++;
    this.#clear();
    console.error(`[${this.#done}/${this.#total}] ${summary}`);
  }

  end(): void {
    this.#clear();
  }

  #show(): void {
    if (!this.#live || performance.now() - this.#shownMs < 100) return;
    this.#shownMs = performance.now();
    const jobs = [...this.#running.values()].map(
      ({ label, share }) => `${label} ${Math.round(100 * share)}%`,
    );
    process.stderr.write(`\r\u001b[K… ${jobs.join(' · ')}`);
  }

  #clear(): void {
    if (this.#live) process.stderr.write('\r\u001b[K');
  }
}
