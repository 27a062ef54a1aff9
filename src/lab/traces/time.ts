const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d)([.,]\d+)?)? ?(Z|([+-])(\d\d):?(\d\d)?)?$/i;

/** Whether a text is written like a date and time, be there such a day or not. */
export function isDateTime(text: string): boolean {
  return DATE_TIME.test(text.trim());
}

/**
 * Seconds, or a date and time (of UTC, where no zone is said), in ms. Undefined for what is neither, and for
 * a day or an hour that there is not.
 */
export function parseTime(text: string): number | undefined {
  if (/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ms = Number(text) * 1000;
    return Number.isFinite(ms) ? ms : undefined;
  }
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', part = '', zone, sign] = match;
  const date = new Date(Date.UTC(+year, +month - 1, +day));
  date.setUTCFullYear(+year); // years before 100, too
  const isDay = date.getUTCMonth() === +month - 1 && date.getUTCDate() === +day;
  const [ahead = 0, minutes = 0] = [match[10], match[11]].map((digits) => Number(digits ?? 0));
  const isTime = +hour < 24 && +minute < 60 && +second < 60 && ahead <= 14 && minutes < 60;
  if (!isDay || !isTime) return undefined;
  const offset = (zone?.length ?? 0) > 1 ? (sign === '-' ? -1 : 1) * (60 * ahead + minutes) : 0;
  const seconds = 3600 * +hour + 60 * (+minute - offset) + +second;
  // More decimals than a Date keeps.
  return date.getTime() + 1000 * (seconds + Number(part.replace(',', '.') || 0));
}
