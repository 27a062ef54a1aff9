import { SequenceSampling } from '../sampling';
import type {
  MlcPipeline,
  SAMPLING_FUNCTIONS,
  TvmArray,
  TvmFunction,
  TvmTensor,
} from './internals';
import { inScope } from './scope';

/** WebLLM's floors: below them the kernels divide by zero or keep nothing. */
const MIN_TEMPERATURE = 1e-6;
const MIN_TOP_P = 1e-5;

/** Draws of the trial: low down a distribution, and high up. */
const TRIAL: readonly SequenceSampling[] = [
  new SequenceSampling({ sampling: { temperature: 1, topP: 1, seed: 0 } }),
  new SequenceSampling({ sampling: { temperature: 1, topP: 0.9, seed: 4 } }),
];
/** How much likelier the likeliest of the trial's tokens is than the least likely: the logarithm. */
const TRIAL_SPREAD = 8;

/**
 * Samples many rows with the library's own kernels (0.2.80 on), as WebLLM does with one: bitmask,
 * logit_bias and penalties in place, then softmax, sort and a draw with each sequence's own uniform.
 */
export class GpuSampler {
  readonly #pipeline: MlcPipeline;
  readonly #vocabSize: number;
  readonly #run: Record<(typeof SAMPLING_FUNCTIONS)[number], TvmFunction>;
  /** What a repetition penalty is raised to before it is handed to the kernel; see `tryOut`. */
  #repetitionPower: 1 | -1 = 1;

  constructor(pipeline: MlcPipeline, vocabSize: number) {
    this.#pipeline = pipeline;
    this.#vocabSize = vocabSize;
    const { tvm, vm } = pipeline;
    this.#run = inScope(tvm, () => {
      const bind = (name: string) => tvm.detachFromCurrentScope(vm.getFunction(name));
      return {
        softmax_with_temperature: bind('softmax_with_temperature'),
        argsort_probs: bind('argsort_probs'),
        sample_with_top_p: bind('sample_with_top_p'),
        apply_logit_bias_inplace: bind('apply_logit_bias_inplace'),
        apply_penalty_inplace: bind('apply_penalty_inplace'),
        apply_bitmask_inplace: bind('apply_bitmask_inplace'),
      };
    });
  }

  /**
   * Draws from made-up rows (one with a single sensible token, others spread over the vocabulary,
   * which sums of probabilities that race get wrong) and finds out which way round the kernel applies
   * a repetition penalty: those built before mlc-llm's pull request 2937 (all of v0_2_48) multiply
   * positive logits by it and divide negative ones, so that a penalty above 1 rewards repetition.
   * Where that is so, its inverse is handed over. Returns whether the kernels draw rightly.
   */
  async tryOut(): Promise<boolean> {
    const { tvm, device } = this.#pipeline;
    const [first, second, masked] = [3, 5, 7];
    const row = new Float32Array(this.#vocabSize).fill(-4);
    row[first] = 2;
    row[second] = -2;
    row[masked] = 9;
    const allowed = new Int32Array(Math.ceil(this.#vocabSize / 32)).fill(-1);
    allowed[masked >>> 5] &= ~(1 << (masked & 31));
    const penalised = new SequenceSampling({
      sampling: { temperature: 0, topP: 1, seed: 0, repetitionPenalty: 2 },
      generated: [first, second],
    });
    tvm.beginScope();
    let after: TvmTensor | undefined;
    let drawn: TvmTensor | undefined;
    let spread: TvmTensor | undefined;
    try {
      const logits = this.#floats(row, [1, this.#vocabSize]);
      this.#applyPenalties(logits, [penalised]);
      after = tvm.detachFromCurrentScope(
        tvm.empty([1, this.#vocabSize], 'float32', tvm.cpu()).copyFrom(logits),
      );
      const plain = new SequenceSampling({ sampling: { temperature: 0, topP: 1, seed: 0 } });
      drawn = this.issue(this.#floats(row, [1, this.#vocabSize]), [plain], [allowed]);
      const slope = Float32Array.from(
        { length: TRIAL.length * this.#vocabSize },
        (_, i) => ((i % this.#vocabSize) * TRIAL_SPREAD) / this.#vocabSize,
      );
      const rows = this.#floats(slope, [TRIAL.length, this.#vocabSize]);
      spread = this.issue(
        rows,
        TRIAL,
        TRIAL.map(() => undefined),
      );
    } finally {
      tvm.endScope();
    }
    await device.sync();
    const values = after.toArray();
    const [token] = drawn.toArray();
    const tokens = spread.toArray();
    for (const copy of [after, drawn, spread]) copy.dispose();
    const near = (a: number, b: number) => Math.abs(a - b) < 0.01;
    if (near(values[first], 4) && near(values[second], -1)) this.#repetitionPower = -1;
    else if (!near(values[first], 1) || !near(values[second], -4)) return false;
    // Sums are rounded, so a neighbour is right too.
    const slip = 1 + this.#vocabSize / 1000;
    return (
      token === first && TRIAL.every((row, i) => Math.abs(tokens[i] - this.#expected(row)) <= slip)
    );
  }

  /** The token that the trial's row draws: the likelihood of tokens falls off exponentially. */
  #expected({ uniform, params: { topP } }: SequenceSampling): number {
    const mass = uniform * topP * (1 - Math.exp(-TRIAL_SPREAD));
    const rank = Math.floor((-Math.log(1 - mass) / TRIAL_SPREAD) * this.#vocabSize);
    return this.#vocabSize - 1 - rank;
  }

  /** Issues one draw a row; changes the logits. The tokens come in a CPU tensor, detached. */
  issue(
    logits: TvmTensor,
    rows: readonly SequenceSampling[],
    bitmasks: readonly (Int32Array | undefined)[],
  ): TvmTensor {
    const { tvm } = this.#pipeline;
    this.#applyBitmasks(logits, rows, bitmasks);
    this.#applyBiases(logits, rows);
    this.#applyPenalties(logits, rows);
    const count = rows.length;
    const probs = this.#run.softmax_with_temperature(
      logits.view([count, 1, this.#vocabSize]),
      this.#floats(rows.map(({ params }) => Math.max(MIN_TEMPERATURE, params.temperature))),
    ) as TvmTensor;
    const sorted = this.#run.argsort_probs(probs.view([count, this.#vocabSize])) as TvmArray;
    const drawn = this.#run.sample_with_top_p(
      sorted.get(0),
      sorted.get(1),
      this.#floats(rows.map((row) => (row.greedy ? 0 : row.uniform))),
      this.#ints(rows.map((_, row) => row)),
      this.#floats(
        rows.map((row) => (row.greedy ? MIN_TOP_P : Math.max(MIN_TOP_P, row.params.topP))),
      ),
    ) as TvmTensor;
    return tvm.detachFromCurrentScope(
      tvm.empty([...drawn.shape], 'int32', tvm.cpu()).copyFrom(drawn),
    );
  }

  dispose(): void {
    for (const run of Object.values(this.#run)) run.dispose();
  }

  #applyBitmasks(
    logits: TvmTensor,
    rows: readonly SequenceSampling[],
    bitmasks: readonly (Int32Array | undefined)[],
  ): void {
    const masked = rows.flatMap((row, i) =>
      bitmasks[i] !== undefined || row.banned.length > 0 ? [i] : [],
    );
    if (masked.length === 0) return;
    const words = Math.ceil(this.#vocabSize / 32);
    // The kernel looks a row's mask up by its row, so every row has one.
    const all = new Int32Array(rows.length * words).fill(-1);
    for (const row of masked) {
      all.set(withoutBanned(bitmasks[row], rows[row].banned, words), row * words);
    }
    this.#run.apply_bitmask_inplace(
      logits,
      this.#ints(masked),
      this.#ints(all, [rows.length, words]),
    );
  }

  #applyBiases(logits: TvmTensor, rows: readonly SequenceSampling[]): void {
    const positions: number[] = [];
    const tokens: number[] = [];
    const biases: number[] = [];
    rows.forEach((row, i) => {
      for (let k = 0; k < row.biasTokens.length; k++) {
        positions.push(i);
        tokens.push(row.biasTokens[k]);
        biases.push(row.biases[k]);
      }
    });
    if (tokens.length === 0) return;
    this.#run.apply_logit_bias_inplace(
      logits,
      this.#ints(positions),
      this.#ints(tokens),
      this.#floats(biases),
    );
  }

  #applyPenalties(logits: TvmTensor, rows: readonly SequenceSampling[]): void {
    const members = rows.flatMap((row, i) => (row.penalised ? [i] : []));
    if (members.length === 0) return;
    const positions: number[] = [];
    const tokens: number[] = [];
    const counts: number[] = [];
    const penalties: number[] = [];
    members.forEach((row, member) => {
      const { presencePenalty = 0, frequencyPenalty = 0, repetitionPenalty = 1 } = rows[row].params;
      penalties.push(presencePenalty, frequencyPenalty, repetitionPenalty ** this.#repetitionPower);
      for (const [token, count] of rows[row].counts) {
        positions.push(member);
        tokens.push(token);
        counts.push(count);
      }
    });
    this.#run.apply_penalty_inplace(
      logits,
      this.#ints(members),
      this.#ints(positions),
      this.#ints(tokens),
      this.#ints(counts),
      this.#floats(penalties, [members.length, 3]),
    );
  }

  #ints(values: ArrayLike<number>, shape: number[] = [values.length]): TvmTensor {
    const { tvm, device } = this.#pipeline;
    return tvm.empty(shape, 'int32', device).copyFrom(values);
  }

  #floats(values: ArrayLike<number>, shape: number[] = [values.length]): TvmTensor {
    const { tvm, device } = this.#pipeline;
    return tvm.empty(shape, 'float32', device).copyFrom(values);
  }
}

/** What a row may draw: its grammar's mask less the banned tokens, unless only those are left. */
function withoutBanned(
  bitmask: Int32Array | undefined,
  banned: readonly number[],
  words: number,
): Int32Array {
  const allowed = bitmask ?? new Int32Array(words).fill(-1);
  if (banned.length === 0) return allowed;
  const rest = allowed.slice();
  for (const token of banned) rest[token >>> 5] &= ~(1 << (token & 31));
  return rest.some((word) => word !== 0) ? rest : allowed;
}
