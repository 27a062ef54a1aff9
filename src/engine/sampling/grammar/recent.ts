/** What remembers something that can be found again. */
export interface Forgetful {
  forget(): void;
}

/** Keeps memories bounded: of more than so many, those that began longest ago forget. */
export class Recent<T extends Forgetful> {
  readonly #most: number;
  readonly #members: T[] = [];
  #oldest = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** `member` begins to remember. */
  add(member: T): void {
    if (this.#members.length < this.#most) {
      this.#members.push(member);
      return;
    }
    this.#members[this.#oldest].forget();
    this.#members[this.#oldest] = member;
    this.#oldest = (this.#oldest + 1) % this.#most;
  }
}
