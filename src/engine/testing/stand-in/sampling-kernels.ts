import type { Raw } from './handle';
import { VOCABULARY } from './model';
import { type Device, List, Tensor } from './tensor';
import type { World } from './world';

/** MLC's sampling kernels, by their definitions. */
export function samplingKernels(world: World, gpu: Device): Record<string, Raw> {
  const at = (row: number, token: number) => row * VOCABULARY + token;
  return {
    softmax_with_temperature: (logits: Tensor, temperatures: Tensor) => {
      const probs = new Tensor(world, [...logits.shape], 'float32', gpu);
      for (let row = 0; row < logits.shape[0]; row++) {
        const values = Array.from(logits.data.subarray(at(row, 0), at(row + 1, 0)));
        const max = Math.max(...values);
        const weights = values.map((v) => Math.exp((v - max) / temperatures.data[row]));
        const sum = weights.reduce((a, b) => a + b, 0);
        probs.data.set(
          weights.map((w) => w / sum),
          at(row, 0),
        );
      }
      return probs;
    },
    argsort_probs: (probs: Tensor) => {
      const sorted = new Tensor(world, [...probs.shape], 'float32', gpu);
      const indices = new Tensor(world, [...probs.shape], 'int32', gpu);
      for (let row = 0; row < probs.shape[0]; row++) {
        const order = Array.from({ length: VOCABULARY }, (_, token) => token).sort(
          (a, b) => probs.data[at(row, b)] - probs.data[at(row, a)] || a - b,
        );
        indices.data.set(order, at(row, 0));
        sorted.data.set(
          order.map((token) => probs.data[at(row, token)]),
          at(row, 0),
        );
      }
      return new List(world, [sorted, indices]);
    },
    sample_with_top_p: (
      sorted: Tensor,
      indices: Tensor,
      uniform: Tensor,
      sampleIndices: Tensor,
      topP: Tensor,
    ) => {
      const drawn = new Tensor(world, [sampleIndices.data.length], 'int32', gpu);
      sampleIndices.data.forEach((row, i) => {
        // The kernel keeps tokens while the sum before them is below top_p.
        let kept = 0;
        let sum = 0;
        while (kept < VOCABULARY && sum < topP.data[row]) sum += sorted.data[at(row, kept++)];
        let left = uniform.data[i] * sum;
        let token = 0;
        while (token < kept - 1 && left >= sorted.data[at(row, token)]) {
          left -= sorted.data[at(row, token++)];
        }
        if (world.options.wrong?.sums) token -= token % 32;
        drawn.data[i] = indices.data[at(row, token + (world.options.wrong?.draws ? 1 : 0))];
      });
      return drawn;
    },
    apply_logit_bias_inplace: (logits: Tensor, rows: Tensor, tokens: Tensor, biases: Tensor) => {
      rows.data.forEach((row, i) => {
        logits.data[at(row, tokens.data[i])] += biases.data[i];
      });
    },
    apply_penalty_inplace: (
      logits: Tensor,
      rows: Tensor,
      positions: Tensor,
      tokens: Tensor,
      counts: Tensor,
      penalties: Tensor,
    ) => {
      positions.data.forEach((member, i) => {
        const index = at(rows.data[member], tokens.data[i]);
        const [presence, frequency, repetition] = penalties.data.subarray(member * 3);
        const value = logits.data[index] - (presence + counts.data[i] * frequency);
        const wrong = world.options.wrong?.penalties === true;
        logits.data[index] = value < 0 !== wrong ? value * repetition : value / repetition;
      });
    },
    apply_bitmask_inplace: (logits: Tensor, rows: Tensor, masks: Tensor) => {
      const words = masks.shape[1];
      for (const row of rows.data) {
        for (let token = 0; token < VOCABULARY; token++) {
          const word = masks.data[row * words + (token >>> 5)];
          if (((word >>> (token & 31)) & 1) === 0) logits.data[at(row, token)] = -3.4e38;
        }
      }
    },
  };
}
