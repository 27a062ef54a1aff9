import type { SimulatedReply } from '../../client';
import type { Json } from './tools';

type Call = NonNullable<SimulatedReply['tool_calls']>[number];

/** What the tools have said so far, by tool, in order of calling. */
export interface Findings {
  results(tool: string): Json[];
}

/** A round of the script: tools to call, or (last) the answer; both from what was found before. */
type Round = (found: Findings) => SimulatedReply;

/** What the simulated engine does with a task. The tools run for real, and the answer is made of their results. */
export interface Scenario {
  task: string;
  plan: string;
  rounds: readonly Round[];
}

const call = (name: string, args: Record<string, unknown>): Call => ({ name, arguments: args });

const textOf = (found: Findings, at: number): string => {
  const pages = found.results('search_handbook')[at];
  const [page] = Array.isArray(pages) ? pages : [];
  return typeof page === 'object' && page !== null && !Array.isArray(page) ? String(page.text) : '';
};

/** The number before `unit` in a handbook page: the script reads what the search found. */
const numberIn = (text: string, unit: RegExp): number =>
  Number(new RegExp(`([\\d.]+) ${unit.source}`).exec(text)?.[1] ?? Number.NaN);

const dayOf = (result: Json | undefined): { date: string; weekday: string } =>
  typeof result === 'object' && result !== null && !Array.isArray(result)
    ? { date: String(result.date), weekday: String(result.weekday) }
    : { date: '', weekday: '' };

const numbers = (found: Findings, tool: string): number[] => found.results(tool).map(Number);

const euros = (value: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const SCENARIOS: readonly Scenario[] = [
  {
    task: 'Twelve guests arrive in 18 days and stay three nights. Which day is that, what do they owe together, and how much luggage may they bring, in pounds?',
    plan: 'I need the date first, then the fees and the luggage rule from the handbook, and then two calculations.',
    rounds: [
      () => ({
        tool_calls: [
          call('clock', {}),
          call('search_handbook', { query: 'guest fees per night' }),
          call('search_handbook', { query: 'luggage allowance' }),
        ],
      }),
      (found) => {
        const fees = textOf(found, 0);
        const night = numberIn(fees, /euros per night/);
        const landing = numberIn(fees, /euros once/);
        return {
          tool_calls: [
            call('add_days', { date: dayOf(found.results('clock')[0]).date, days: 18 }),
            call('calculator', { expression: `12 * (3 * ${night} + ${landing})` }),
            call('calculator', {
              expression: `12 * ${numberIn(textOf(found, 1), /kilograms/)}`,
            }),
          ],
        };
      },
      (found) => ({
        tool_calls: [
          call('convert_units', { value: numbers(found, 'calculator')[1], from: 'kg', to: 'lb' }),
        ],
      }),
      (found) => {
        const day = dayOf(found.results('add_days')[0]);
        const [owed, kilograms] = numbers(found, 'calculator');
        const [pounds] = numbers(found, 'convert_units');
        return {
          content: `They arrive on **${day.weekday}, ${day.date}**. Together they owe **${euros(owed)} euros**: three nights for twelve, and the landing fee once each. They may bring ${kilograms} kg of luggage, which is **${Math.floor(pounds)} pounds**.`,
        };
      },
    ],
  },
  {
    task: 'It is winter and the tank is full. How many days does the diesel last, and by which date must we order more? Give the tank in US gallons too.',
    plan: 'The handbook knows the generator and how long orders take. From those I can work out the days, and then the date.',
    rounds: [
      () => ({
        tool_calls: [
          call('search_handbook', { query: 'diesel generator tank' }),
          call('search_handbook', { query: 'ordering fuel by radio' }),
          call('clock', {}),
        ],
      }),
      (found) => {
        const generator = textOf(found, 0);
        const burn = numberIn(generator, /litres of fuel per hour/);
        const tank = Number(/holds (\d+) litres/.exec(generator)?.[1]);
        const hours = numberIn(generator, /hours a day/);
        return {
          tool_calls: [
            call('calculator', { expression: `floor(${tank} / (${burn} * ${hours}))` }),
            call('convert_units', { value: tank, from: 'l', to: 'US gal' }),
          ],
        };
      },
      (found) => {
        const [days] = numbers(found, 'calculator');
        const notice = numberIn(textOf(found, 1), /days before/);
        return {
          tool_calls: [
            call('add_days', {
              date: dayOf(found.results('clock')[0]).date,
              days: days - notice,
            }),
          ],
        };
      },
      (found) => {
        const [days] = numbers(found, 'calculator');
        const [gallons] = numbers(found, 'convert_units');
        const day = dayOf(found.results('add_days')[0]);
        return {
          content: `The diesel lasts **${days} days** at nine hours a day. Orders take twelve days, so send yours by **${day.weekday}, ${day.date}**. The full tank is **${Math.round(gallons)} US gallons**.`,
        };
      },
    ],
  },
  {
    task: 'How long is the crossing in kilometres, how many minutes does it take, and how many days are left until the end of the year?',
    plan: 'I look up the boat, convert the distance, divide it by the speed, and count the days from today.',
    rounds: [
      () => ({
        tool_calls: [call('search_handbook', { query: 'supply boat crossing' }), call('clock', {})],
      }),
      // A slip on purpose: the tool refuses the date, and the model mends its call.
      (found) => ({
        tool_calls: [
          call('convert_units', {
            value: numberIn(textOf(found, 0), /nautical miles/),
            from: 'nmi',
            to: 'km',
          }),
          call('days_between', { from: 'today', to: '31 December' }),
        ],
      }),
      (found) => {
        const boat = textOf(found, 0);
        const { date } = dayOf(found.results('clock')[0]);
        const miles = numberIn(boat, /nautical miles/);
        return {
          content: 'The calendar wants dates as YYYY-MM-DD.',
          tool_calls: [
            call('days_between', { from: date, to: `${date.slice(0, 4)}-12-31` }),
            call('calculator', { expression: `round(60 * ${miles} / ${numberIn(boat, /knots/)})` }),
          ],
        };
      },
      (found) => {
        const [kilometres] = numbers(found, 'convert_units');
        const [minutes] = numbers(found, 'calculator');
        const days = numbers(found, 'days_between').at(-1);
        return {
          content: `The crossing is **${kilometres.toFixed(1)} km** long and takes **${minutes} minutes** at cruising speed. There are **${days} days** left until the end of the year.`,
        };
      },
    ],
  },
];

/** A script for a task of the reader's own: whatever tools its words suggest, and an honest answer. */
export function scenarioFor(task: string): Scenario {
  const known = SCENARIOS.find((scenario) => scenario.task === task);
  if (known !== undefined) return known;
  const expression = /\d[\d\s.()+\-*/^]*[+\-*/^][\d\s.()+\-*/^]*\d\)*/.exec(task)?.[0].trim();
  const measure =
    /(-?\d+(?:\.\d+)?)\s*(kg|lb|km|mi|nmi|m|ft)\b.*?\b(?:in|to|into)\s+(kg|lb|km|mi|nmi|m|ft)\b/i.exec(
      task,
    );
  const days = /in (\d+) days/i.exec(task)?.[1];
  const second: Call[] = [];
  if (expression !== undefined) second.push(call('calculator', { expression }));
  if (measure !== null) {
    const [, value, from, to] = measure;
    second.push(
      call('convert_units', {
        value: Number(value),
        from: from.toLowerCase(),
        to: to.toLowerCase(),
      }),
    );
  }
  const dated = (found: Findings) =>
    days === undefined
      ? []
      : [call('add_days', { date: dayOf(found.results('clock')[0]).date, days: Number(days) })];
  const computes = second.length > 0 || days !== undefined;
  const rounds: Round[] = [
    () => ({
      tool_calls: [
        call('clock', {}),
        ...(computes ? [] : [call('search_handbook', { query: task.slice(0, 120).padEnd(2) })]),
      ],
    }),
  ];
  if (computes) {
    rounds.push((found) => ({ tool_calls: [...second, ...dated(found)] }));
  }
  rounds.push((found) => {
    const lines = [`Today is ${dayOf(found.results('clock')[0]).date}.`];
    const [value] = found.results('calculator');
    if (value !== undefined) lines.push(`\`${expression}\` is **${String(value)}**.`);
    const [converted] = found.results('convert_units');
    if (converted !== undefined && measure !== null) {
      lines.push(`${measure[1]} ${measure[2]} is **${String(converted)} ${measure[3]}**.`);
    }
    const [day] = found.results('add_days');
    if (day !== undefined)
      lines.push(`In ${days} days it is **${dayOf(day).weekday}, ${dayOf(day).date}**.`);
    const page = textOf(found, 0);
    if (page !== '') lines.push(`The handbook says: “${page}”`);
    else if (!computes) lines.push('The handbook has nothing on this.');
    return {
      content: `${lines.join(' ')}\n\nThe engine is simulated: a script chose these tools by the words of your task. The tools themselves ran.`,
    };
  });
  return {
    task,
    plan: 'I look at the clock and the handbook first, then calculate what the task asks for.',
    rounds,
  };
}
