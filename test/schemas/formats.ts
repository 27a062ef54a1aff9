/** Formats for the validator, each by other means than the grammars'. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => String(Number(part) & 255) === part);
}

function isIpv6(text: string): boolean {
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

function isHostname(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z\d-]{1,63}$/i.test(label) && !/^-|-$/.test(label))
  );
}

export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  ipv4: isIpv4,
  ipv6: isIpv6,
  hostname: isHostname,
  uuid: (text) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text),
  unknown: () => true,
};
