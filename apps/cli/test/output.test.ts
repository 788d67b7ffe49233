import assert from "node:assert/strict";
import { test } from "node:test";
import { SomaError } from "@soma/client/soma-error";
import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import { money } from "../src/commands/option-values.ts";
import { exitOf } from "../src/exit-codes.ts";
import { describeBudget } from "../src/output/budget-text.ts";
import { LiveText } from "../src/output/live-text.ts";
import { formatTable } from "../src/output/table.ts";
import { harmless, type Terminal } from "../src/output/terminal.ts";

function terminalOf(width: number): Terminal {
  return {
    out: () => undefined,
    say: () => undefined,
    isInteractive: true,
    canAsk: false,
    width,
    style: (_style, text) => text,
  };
}

test("a table fits the terminal: the widest column gives way", () => {
  const rows = [
    ["1", "a long text that does not fit at all", "ok"],
    ["2", "short", "😀 ok"],
  ];
  assert.equal(
    formatTable(terminalOf(30), ["#", "WHAT", "STATE"], rows),
    "#  WHAT                  STATE\n1  a long text that do…  ok\n2  short                 😀 ok\n",
  );
  for (const width of [20, 40, 80]) {
    const lines = formatTable(terminalOf(width), ["#", "WHAT", "STATE"], rows).split("\n");
    assert.ok(
      lines.every((line) => [...new Intl.Segmenter().segment(line)].length <= width),
      String(width),
    );
  }
  assert.match(formatTable(terminalOf(Number.POSITIVE_INFINITY), ["#", "WHAT", "STATE"], rows), /does not fit at all/);
});

test("nothing that comes from elsewhere speaks to the terminal", () => {
  assert.equal(
    harmless("red \u001B[31mtext\u001B[0m, \u0007bell,\rline\u202Eback\nnext\ttab"),
    "red text, ?bell,?line?back\nnext\ttab",
  );
  assert.doesNotMatch(harmless("\u001B]0;title\u0007\u009B2J\u001B[2J"), /\p{Cc}/u);
});

test("a text in the making: pieces that follow are shown, what is lost or begun anew is not, the rest comes at the end", () => {
  let shown = "";
  const text = new LiveText((piece) => {
    shown += piece;
  });
  text.add({ step: "completion-1", attempt: 1, offset: 0, text: "One, " });
  text.add({ step: "completion-1", attempt: 1, offset: 9, text: "three" });
  assert.equal(text.missing("One, two, three"), "two, three");
  text.add({ step: "completion-1", attempt: 4, offset: 0, text: "Uno" });
  text.add({ step: "completion-1", attempt: 1, offset: 5, text: "two" });
  text.add({ step: "completion-1", attempt: 4, offset: 3, text: ", due" });
  assert.equal(text.missing("Uno, due"), "");
  text.add({ step: "completion-2", attempt: 1, offset: 0, text: "Next" });
  assert.equal(shown, "One, \nUno, due\nNext");
  assert.equal(text.missing("Another"), "\nAnother");
  assert.equal(text.missing(undefined), "");
  const gathered = new LiveText(undefined);
  gathered.add({ step: "completion-1", attempt: 1, offset: 0, text: "One" });
  assert.deepEqual([gathered.missing(undefined), gathered.missing("One, two")], ["One", "One, two"]);
});

test("a budget in one line: money exactly, as it was typed", () => {
  const spent = { tokens: 40, cost_micros: 1_250_000, steps: 2 };
  for (const [typed, micros] of [
    ["0.25", 250_000],
    ["3", 3_000_000],
    ["0.000001", 1],
    ["12.5", 12_500_000],
  ] as const) {
    assert.equal(money(typed), micros);
    assert.equal(
      describeBudget({ limit: { cost_micros: micros }, spent, reserved: { tokens: 0, cost_micros: 10 } }, ""),
      `cost 1.25 of ${typed}, 0.00001 set aside`,
    );
  }
  const view = { limit: { tokens: 100, steps: 2, wall_seconds: 60 }, spent, reserved: { tokens: 50, cost_micros: 0 } };
  assert.equal(
    describeBudget(view, "2026-01-01T00:00:00.000Z"),
    "tokens 40 of 100, 50 set aside; steps 2 of 2; time until 2026-01-01T00:01:00.000Z",
  );
});

test("every error code of the API has the exit code that its status means", () => {
  const codes = Object.keys(errors).filter((code): code is ErrorCode => code in errors);
  const found = new Map<number, Set<string>>();
  for (const code of codes) {
    const { status } = errors[code];
    const exit = exitOf(new SomaError(code, "", { status, requestId: "" }));
    found.set(status, (found.get(status) ?? new Set()).add(exit));
  }
  assert.deepEqual(Object.fromEntries([...found].map(([status, exits]) => [status, [...exits].join()])), {
    400: "usage",
    401: "notAllowed",
    403: "notAllowed",
    404: "notFound",
    408: "failure",
    409: "failure",
    410: "notFound",
    413: "usage",
    414: "usage",
    415: "failure",
    422: "usage",
    429: "unavailable",
    431: "usage",
    500: "failure",
    503: "unavailable",
    504: "unavailable",
  });
});
