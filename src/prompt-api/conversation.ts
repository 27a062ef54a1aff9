import type { ChatMessage } from '../client';

/**
 * What a session has been told and has said. A value: what changes it makes another, so that a clone and
 * a prompt that is given up need nothing undone.
 */
export class Conversation {
  /** Stays, whatever else is dropped: the initial prompts, and a system message that came first. */
  readonly pinned: readonly ChatMessage[];
  /** Prompts with their answers, and messages that were appended; oldest first. */
  readonly rounds: readonly (readonly ChatMessage[])[];

  constructor(
    pinned: readonly ChatMessage[] = [],
    rounds: readonly (readonly ChatMessage[])[] = [],
  ) {
    this.pinned = pinned;
    this.rounds = rounds;
  }

  get messages(): ChatMessage[] {
    return [...this.pinned, ...this.rounds.flat()];
  }

  get isEmpty(): boolean {
    return this.pinned.length === 0 && this.rounds.length === 0;
  }

  with(round: readonly ChatMessage[]): Conversation {
    const [first, ...rest] = round;
    if (first?.role === 'system') return new Conversation([...this.pinned, first]).with(rest);
    return round.length === 0 ? this : new Conversation(this.pinned, [...this.rounds, round]);
  }

  /** Without its oldest rounds. */
  without(count: number): Conversation {
    return count === 0 ? this : new Conversation(this.pinned, this.rounds.slice(count));
  }
}
