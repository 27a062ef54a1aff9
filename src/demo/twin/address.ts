import { POLICY_NAMES, type PolicyName } from '../../client';
import { isScenarioName, SCENARIO_NAMES, type ScenarioName } from './scenarios';

/** What the address says of the lesson. */
export interface Choice {
  scenario: ScenarioName;
  /** Of what the engine can do at most: 1 is an engine that is just full. */
  load: number;
  a: PolicyName;
  b: PolicyName;
  seed: number;
}

/** The dial's ends. */
export const LOAD = { least: 0.5, most: 4, step: 0.1 };
const MOST_SEED = 999_999;

/** What an address asks for, and a sentence for each thing in it that cannot be. */
export function readAddress(query: string): { choice: Partial<Choice>; problems: string[] } {
  const params = new URLSearchParams(query);
  const choice: Partial<Choice> = {};
  const problems: string[] = [];
  const refuse = (name: string, value: string, words: string) =>
    problems.push(`The address says ${name}=${value.slice(0, 40)}, which is not ${words}.`);
  const scenario = params.get('s');
  if (scenario !== null) {
    if (isScenarioName(scenario)) choice.scenario = scenario;
    else refuse('s', scenario, `a scenario (${SCENARIO_NAMES.join(', ')})`);
  }
  const load = params.get('load');
  if (load !== null) {
    const number = load.trim() === '' ? Number.NaN : Number(load);
    if (number >= LOAD.least && number <= LOAD.most) choice.load = Math.round(number * 10) / 10;
    else refuse('load', load, `a number from ${LOAD.least} to ${LOAD.most}`);
  }
  for (const side of ['a', 'b'] as const) {
    const name = params.get(side);
    if (name === null) continue;
    const known = POLICY_NAMES.find((policy) => policy === name);
    if (known !== undefined) choice[side] = known;
    else refuse(side, name, 'a policy');
  }
  const seed = params.get('seed');
  if (seed !== null) {
    const number = Number(seed);
    if (/^\d{1,6}$/.test(seed) && number <= MOST_SEED) choice.seed = number;
    else refuse('seed', seed, `a whole number from 0 to ${MOST_SEED}`);
  }
  return { choice, problems };
}

/** The query that gives this page again: `?s=rush&load=2&a=tempo&b=edf&seed=7`. */
export function writeAddress({ scenario, load, a, b, seed }: Choice): string {
  return `?s=${scenario}&load=${load}&a=${a}&b=${b}&seed=${seed}`;
}
