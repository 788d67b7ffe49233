import { InvalidArgumentError } from "commander";

/** Gathers an option that may be given more than once. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** A whole number from `least` on. @throws InvalidArgumentError. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,15}$/.test(text) || number < least)
      throw new InvalidArgumentError(`It takes a whole number from ${String(least)} on.`);
    return number;
  };
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A time span such as `90d`, `12h`, `30m`, in seconds. @throws InvalidArgumentError. */
export function seconds(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const factor = secondsOf[unit ?? ""];
  if (number === undefined || factor === undefined)
    throw new InvalidArgumentError("It takes a number and s, m, h or d, e.g. 90d.");
  return Number(number) * factor;
}

/** An amount of money such as `0.25`, in millionths. @throws InvalidArgumentError. */
export function money(text: string): number {
  const [, whole, parts = ""] = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  const micros = Number(`${whole ?? "0"}${parts.padEnd(6, "0")}`);
  if (whole === undefined || micros === 0)
    throw new InvalidArgumentError("It takes an amount such as 0.25, of at most six decimal places.");
  return micros;
}
