import { labRun, paperWorkload } from '../src/lab';

export async function run(args: string[]): Promise<void> {
  const flag = (name: string, fallback: string) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? fallback : args[at + 1];
  };
  const requests = Number(flag('requests', '300'));
  const seed = Number(flag('seed', '1'));
  for (const load of flag('load', '1').split(',').map(Number)) {
    const workload = paperWorkload({ requests, load, seed });
    for (const policy of flag('policies', 'fcfs,sarathi,tempo').split(',')) {
      const { run, details } = await labRun(workload, {
        policy,
        load,
        seed,
        bound: Number.NaN,
        wall: () => performance.now(),
      });
      console.log(
        JSON.stringify({
          ...run,
          steps: details.steps,
          makespan: details.makespanMs,
          busy: details.busy,
          gainOf: details.gainOf,
        }),
      );
    }
  }
}
