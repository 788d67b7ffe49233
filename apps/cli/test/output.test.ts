import assert from "node:assert/strict";
import { test } from "node:test";
import { SomaError } from "@soma/client/soma-error";
import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import { exitOf } from "../src/exit-codes.ts";
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
