import type { Random } from '../scheduler';
import { drawLogNormal } from './distribution';
import type { Call, Stage } from './workload';

/** Most output tokens of a call in the published program traces. */
const MAX_TOKENS = 1024;

/**
 * A deep-research program: plan, answer the sub-questions in parallel, reflect on what was found,
 * perhaps answer once more and reflect again, then report. Sizes and odds are fitted to the program
 * traces of the JITServe artifact (Apache-2.0): the reflection that asks for no more says so in 13
 * tokens; reflection and report are asked over everything found so far, about 2.1 tokens for each
 * token answered.
 */
export function deepResearch(random: Random): Stage[] {
  const stages: Stage[] = [];
  const add = (stage: string, calls: { promptTokens: number; outputTokens: number }[]) =>
    stages.push({ thinkMs: 0, calls: calls.map((call) => researchCall(stage, call)) });
  const answer = (promptTokens: number) => ({
    promptTokens: Math.round(promptTokens),
    outputTokens: cap(drawLogNormal(760, 0.55, random)),
  });

  add('plan', [{ promptTokens: between(390, 520, random), outputTokens: between(40, 95, random) }]);
  let found = 0;
  for (let round = 0; round < 2; round++) {
    const answers = Array.from({ length: round === 0 ? fanOut(random) : 1 }, () =>
      answer(round === 0 ? between(145, 180, random) : between(180, 320, random)),
    );
    add('answer', answers);
    for (const { outputTokens } of answers) found += outputTokens * (1.6 + random());
    const enough = round === 0 && random() < 3 / 8;
    add('reflect', [
      {
        promptTokens: Math.round(found) + 385,
        outputTokens: enough ? 13 : between(60, 165, random),
      },
    ]);
    if (enough) break;
  }
  add('report', [
    { promptTokens: Math.round(found) + 157, outputTokens: cap(drawLogNormal(620, 0.6, random)) },
  ]);
  return stages;
}

/** A call of a research program, from its lengths alone. */
function researchCall(
  stage: string,
  { promptTokens, outputTokens }: { promptTokens: number; outputTokens: number },
): Call {
  return { stage, promptTokens, outputTokens, maxTokens: Math.max(MAX_TOKENS, outputTokens) };
}

/** Sub-questions asked at once: one, two or three, as often as in the traces. */
function fanOut(random: Random): number {
  const u = random();
  return u < 0.5 ? 1 : u < 0.875 ? 2 : 3;
}

function between(low: number, high: number, random: Random): number {
  return Math.round(low + (high - low) * random());
}

function cap(tokens: number): number {
  return Math.min(MAX_TOKENS, Math.max(1, Math.round(tokens)));
}
