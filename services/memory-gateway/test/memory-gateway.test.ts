import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOfParts } from "@soma/kit/digest";
import { startIdentityService, type IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { embeddingsMissing, startEmbeddingService, type EmbeddingService } from "./embedding-service.ts";
import { memoryToken, startMemoryGateway, type RealMemoryGateway } from "./real-memory-gateway.ts";
import { storeKinds, type StoreKind } from "./stores.ts";

type Body = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly text: string;
}

let identity: IdentityService;
let embeddings: EmbeddingService;

before(async () => {
  if (embeddingsMissing !== false) return;
  identity = await startIdentityService();
  embeddings = await startEmbeddingService(identity.url.origin);
});
after(async () => {
  if (embeddingsMissing !== false) return;
  await embeddings[Symbol.asyncDispose]();
  await identity[Symbol.asyncDispose]();
});

for (const { name, skip, open } of storeKinds) {
  describe(`memory in ${name}`, { skip: embeddingsMissing || skip }, () => {
    let kind: StoreKind;
    before(async () => {
      kind = await open();
    });
    after(() => kind[Symbol.asyncDispose]());

    async function openGateway(more: Readonly<Record<string, string>> = {}) {
      const site = await kind.newSite();
      const settings = {
        IDENTITY_SERVICE_URL: identity.url.origin,
        IDENTITY_CREDENTIAL_FILE: join(identity.credentialsDir, "memory-gateway"),
        EMBEDDING_BASE_URL: embeddings.url,
        ...site.settings,
        ...more,
      };
      return { site, settings, gateway: await startMemoryGateway(settings) };
    }

    test("what was remembered is recalled by its key and found by its meaning", async () => {
      await using gateway = (await openGateway()).gateway;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const dog = { key: "pets:1", value: "My dog is called Bolt and loves the beach.", metadata: { source: "talk" } };
      const first = await ask("POST", "/v1/remember", dog);
      assert.deepEqual([first.status, first.body], [200, { key: "pets:1", created: true, passages: 1 }]);
      await ask("POST", "/v1/remember", { key: "tax", value: "The tax return is due on the last day of May." });
      await ask("POST", "/v1/remember", { key: "car", value: "The winter tyres are in the cellar." });

      const recalled = await ask("GET", "/v1/recall/pets:1");
      const { created_at, updated_at, ...rest } = recalled.body;
      assert.deepEqual(rest, dog);
      assert.equal(created_at, updated_at);

      const found = await ask("POST", "/v1/rag/retrieve", { query: "What is the name of my pet?", top_k: 2 });
      assert.equal(found.status, 200);
      const passages = passagesOf(found);
      assert.equal(passages.length, 2);
      assert.deepEqual([passages[0]?.key, passages[0]?.text], ["pets:1", dog.value]);
      assert.ok(Number(passages[0]?.score) > 0.3, JSON.stringify(passages));
      assert.ok(Number(passages[0]?.score) > Number(passages[1]?.score) + 0.1, JSON.stringify(passages));

      const again = await ask("POST", "/v1/remember", { key: "pets:1", value: "My cat is called Minka." });
      assert.equal(again.body["created"], false);
      const changed = await ask("GET", "/v1/recall/pets:1");
      assert.deepEqual([changed.body["value"], changed.body["created_at"]], ["My cat is called Minka.", created_at]);
      const nothing = await ask("POST", "/v1/rag/retrieve", { query: dog.value, top_k: 20 });
      assert.ok(
        passagesOf(nothing).every(({ text }) => text !== dog.value),
        "the vector of the old text is still there",
      );
    });

    test("a long text is found by any part of it, in any script", async () => {
      await using gateway = (await openGateway()).gateway;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const filler = "Nothing of note happened on this day, and the weather was mild for the season. ".repeat(8);
      const value = `${filler}The password of the garden shed is a word for a yellow bird. ${filler}`;
      const stored = await ask("POST", "/v1/remember", { key: "diary", value });
      assert.equal(stored.body["passages"], 3, stored.text);
      const found = await ask("POST", "/v1/rag/retrieve", { query: "How do I get into the garden shed?", top_k: 1 });
      assert.match(String(passagesOf(found)[0]?.text), /yellow bird/);
      // Nothing that a text can hold is too much for the model: many tokens a letter, or one word without an end.
      const hard = ["記憶".repeat(240), "각".repeat(240), "x9$".repeat(160), "ế".repeat(240), "\u{1F9E0}".repeat(460)];
      for (const [index, text] of hard.entries()) {
        const answer = await ask("POST", "/v1/remember", { key: `hard-${String(index)}`, value: text });
        assert.deepEqual([answer.status, answer.body["passages"]], [200, 2], answer.text);
      }
      const full = `${"word ".repeat(80)}${" ".repeat(102_000)}`;
      assert.equal(full.length, 102_400);
      assert.equal(
        (await ask("POST", "/v1/remember", { key: "full", value: full })).status,
        200,
        "100 KiB are accepted",
      );
      assert.equal((await ask("GET", "/v1/recall/full")).body["value"], full);
    });

    test("memory is the token's tenant's and user's alone, on every route", async () => {
      await using gateway = (await openGateway()).gateway;
      const own = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const others = {
        "another user": await memoryToken(identity, { user: "admin-demo" }),
        "another tenant": await memoryToken(identity, { user: "user-acme", tenant: "tenant-acme" }),
      };
      const value = "The alarm code is four times seven.";
      await own("POST", "/v1/remember", { key: "alarm", value });
      const unknown = await own("GET", "/v1/recall/never-was");
      for (const [who, token] of Object.entries(others)) {
        const ask = asker(gateway, token);
        const recalled = await ask("GET", "/v1/recall/alarm");
        assert.deepEqual([recalled.status, recalled.body["code"]], [404, "MEMORY_NOT_FOUND"], who);
        assert.equal(withoutIds(recalled), withoutIds(unknown), `${who}: not yours and not there are one answer`);
        await ask("POST", "/v1/remember", { key: "own", value: "Something else, of alarms." });
        const found = await ask("POST", "/v1/rag/retrieve", { query: value, top_k: 20 });
        assert.deepEqual(
          passagesOf(found).map(({ key }) => key),
          ["own"],
          who,
        );
        // The same key of somebody else's is another memory.
        await ask("POST", "/v1/remember", { key: "alarm", value: "Mine." });
      }
      assert.equal((await own("GET", "/v1/recall/alarm")).body["value"], value);

      // The admin of another tenant names a user of this one: he is asked for in his own tenant, where nobody has this name.
      const strange = asker(
        gateway,
        await memoryToken(identity, { user: "platform-admin", tenant: "platform", capabilities: ["subject.erase"] }),
      );
      assert.equal((await strange("GET", "/v1/export?subject=user-demo")).text, "");
      const erased = await strange("DELETE", "/v1/subject?subject=user-demo");
      assert.deepEqual(erased.body, { memories: 0, passages: 0, keys: 0 });
      assert.equal((await own("GET", "/v1/recall/alarm")).body["value"], value);
    });

    test("export has all of it, erase leaves nothing, and again there is nothing to erase", async () => {
      const { gateway: opened, site } = await openGateway();
      await using gateway = opened;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const other = asker(gateway, await memoryToken(identity, { user: "admin-demo" }));
      const canary = "canaryfive quartz vole";
      for (let index = 0; index < 60; index += 1) {
        const value = `${canary} number ${String(index)}`;
        assert.equal((await ask("POST", "/v1/remember", { key: `k-${String(index)}`, value })).status, 200);
      }
      await other("POST", "/v1/remember", { key: "mine", value: "This one stays." });
      const admin = asker(
        gateway,
        await memoryToken(identity, { user: "admin-demo", capabilities: ["subject.erase"] }),
      );
      const exported = await admin("GET", "/v1/export?subject=user-demo");
      assert.equal(exported.status, 200);
      const lines: { key: string; value: string }[] = exported.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.equal(new Set(lines.map(({ key }) => key)).size, 60);
      assert.ok(lines.every(({ value }) => value.startsWith(canary)));
      const { content: vectorOf } = await vectorBytes(gateway, "user-demo");

      const erased = await admin("DELETE", "/v1/subject?subject=user-demo");
      assert.deepEqual([erased.status, erased.body], [200, { memories: 60, passages: 60, keys: 1 }]);
      const again = await admin("DELETE", "/v1/subject?subject=user-demo");
      assert.deepEqual(again.body, { memories: 0, passages: 0, keys: 0 });
      assert.equal((await ask("GET", "/v1/recall/k-0")).status, 404);
      assert.deepEqual(passagesOf(await ask("POST", "/v1/rag/retrieve", { query: canary, top_k: 5 })), []);
      assert.equal((await admin("GET", "/v1/export?subject=user-demo")).text, "");
      assert.equal((await other("GET", "/v1/recall/mine")).body["value"], "This one stays.");
      if (kind.name === "sqlite") {
        for (const file of await site.files())
          assert.equal(readFileSync(file).includes(vectorOf), false, `${file} still has an erased vector`);
      }
      // Somebody who was erased may begin anew.
      assert.equal((await ask("POST", "/v1/remember", { key: "k-0", value: "A new start." })).body["created"], true);
      assert.equal((await ask("GET", "/v1/recall/k-0")).body["value"], "A new start.");
    });

    test("no text stands in clear in what the store writes, nor in the log", async () => {
      const { gateway, site } = await openGateway();
      const canaries = {
        key: "Canarykeyseven",
        value: "canaryvaluenine",
        meta: "canarymetatwo",
        query: "canaryquerysix",
      };
      try {
        const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
        const body = { key: canaries.key, value: `${canaries.value} is here`, metadata: { note: canaries.meta } };
        await ask("POST", "/v1/remember", body);
        await ask("POST", "/v1/rag/retrieve", { query: canaries.query, top_k: 1 });
        await ask("GET", `/v1/recall/${canaries.key}`);
        const files = await site.files();
        assert.ok(files.length > 0);
        const found = files.flatMap((file) => {
          const bytes = readFileSync(file);
          return Object.values(canaries).filter((canary) => bytes.includes(canary));
        });
        assert.deepEqual(found, []);
        assert.ok(
          files.some((file) => readFileSync(file).includes("user-demo")),
          "these are not the files",
        );
      } finally {
        await gateway[Symbol.asyncDispose]();
      }
      for (const canary of Object.values(canaries)) assert.equal(gateway.log.text().includes(canary), false);
    });

    test("what has expired is not returned by any route, and is swept", async () => {
      await using gateway = (await openGateway()).gateway;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const value = "The visitor's badge is blue.";
      const stored = await ask("POST", "/v1/remember", { key: "badge", value, ttl_seconds: 60 });
      assert.ok(Date.parse(String(stored.body["expires_at"])) > Date.now());
      await ask("POST", "/v1/remember", { key: "stays", value: "The door is green." });
      assert.equal((await ask("GET", "/v1/recall/badge")).status, 200);
      gateway.advance(60_000);
      assert.equal((await ask("GET", "/v1/recall/badge")).status, 404);
      const found = await ask("POST", "/v1/rag/retrieve", { query: value, top_k: 20 });
      assert.deepEqual(
        passagesOf(found).map(({ key }) => key),
        ["stays"],
      );
      const admin = asker(
        gateway,
        await memoryToken(identity, { user: "admin-demo", capabilities: ["subject.erase"] }),
      );
      assert.equal((await admin("GET", "/v1/export?subject=user-demo")).text.includes("badge"), false);
      assert.equal(await gateway.parts.store.sweep(gateway.parts.now(), 10), 1);
      assert.equal(await gateway.parts.store.sweep(gateway.parts.now(), 10), 0);
      const erased = await admin("DELETE", "/v1/subject?subject=user-demo");
      assert.deepEqual(erased.body, { memories: 1, passages: 1, keys: 1 });
    });

    test("a subject's bounds are kept, replacing goes on, and another's are his own", async () => {
      await using gateway = (await openGateway({ MEMORY_MAX_MEMORIES: "3", MEMORY_MAX_PASSAGES: "5" })).gateway;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const long = "word ".repeat(300);
      const stored = await ask("POST", "/v1/remember", { key: "a", value: long });
      assert.equal(stored.body["passages"], 4);
      const over = await ask("POST", "/v1/remember", { key: "b", value: long });
      assert.deepEqual([over.status, over.body["code"]], [422, "MEMORY_REJECTED"]);
      assert.equal((await ask("GET", "/v1/recall/b")).status, 404, "half of it was stored");
      assert.equal((await ask("POST", "/v1/remember", { key: "a", value: long })).status, 200, "in its own place");
      await ask("POST", "/v1/remember", { key: "a", value: "short" });
      const at = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          ask("POST", "/v1/remember", { key: `p-${String(index)}`, value: "short" }),
        ),
      );
      assert.equal(at.filter(({ status }) => status === 200).length, 2, "at once or one by one, three are three");
      const other = asker(gateway, await memoryToken(identity, { user: "admin-demo" }));
      assert.equal((await other("POST", "/v1/remember", { key: "b", value: "short" })).status, 200);
    });

    test("what does not fit is refused with the field, and nothing of it is stored", async () => {
      await using gateway = (await openGateway()).gateway;
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      const bad: [string, unknown, string][] = [
        ["/value", { key: "a", value: "" }, "an empty value"],
        ["/value", { key: "a", value: " \n " }, "a value without a word"],
        ["/value", { key: "a", value: "é".repeat(60_000) }, "over 100 KiB in bytes"],
        ["/value", { key: "a", value: "x".repeat(102_401) }, "over 100 KiB"],
        ["/value", { key: "a", value: "half \ud800" }, "no Unicode"],
        ["/key", { key: "../a", value: "x" }, "a key that is a path"],
        ["/key", { key: "a".repeat(201), value: "x" }, "a long key"],
        ["/metadata", { key: "a", value: "x", metadata: { big: "x".repeat(5_000) } }, "large metadata"],
        ["/ttl_seconds", { key: "a", value: "x", ttl_seconds: 0 }, "no time at all"],
        ["/tenant", { key: "a", value: "x", tenant: "tenant-acme" }, "a tenant"],
        ["/user", { key: "a", value: "x", user: "admin-demo" }, "a user"],
      ];
      for (const [pointer, body, what] of bad) {
        const answer = await ask("POST", "/v1/remember", body);
        assert.deepEqual([answer.status, answer.body["code"]], [400, "VALIDATION_FAILED"], what);
        const [first] = Array.isArray(answer.body["errors"]) ? answer.body["errors"] : [];
        assert.equal(Reflect.get(Object(first), "pointer"), pointer, what);
      }
      assert.equal((await ask("GET", "/v1/recall/a")).status, 404);
      for (const query of ["", "x".repeat(2_001)]) {
        const answer = await ask("POST", "/v1/rag/retrieve", { query, top_k: 1 });
        assert.equal(answer.status, 400);
      }
      assert.equal((await ask("POST", "/v1/rag/retrieve", { query: "x", top_k: 21 })).status, 400);
    });

    test("the same request with the same key is one memory; another with it is refused", async () => {
      await using gateway = (await openGateway()).gateway;
      const session = "sess-memory";
      const step = "remember-1";
      const token = await memoryToken(identity, {
        user: "user-demo",
        capabilities: ["memory.remember", "model.embed"],
        session,
        step,
      });
      const key = digestOfParts("tenant-demo", session, step);
      const ask = asker(gateway, token, { "idempotency-key": key });
      const body = { key: "turn", value: "Asked once." };
      assert.equal((await ask("POST", "/v1/remember", body)).body["created"], true);
      const again = await ask("POST", "/v1/remember", body);
      assert.deepEqual([again.status, again.body["created"]], [200, false]);
      const other = await ask("POST", "/v1/remember", { ...body, value: "Asked otherwise." });
      assert.deepEqual([other.status, other.body["code"]], [422, "IDEMPOTENCY_KEY_REUSED"]);
      assert.equal((await ask("GET", "/v1/recall/turn")).status, 403, "a token lacks what the step does not do");
      const wrong = asker(gateway, token, { "idempotency-key": digestOfParts("tenant-demo", session, "remember-2") });
      assert.equal((await wrong("POST", "/v1/remember", body)).status, 403);
    });

    test("a start with another model, or without the master key, is refused", async () => {
      const { gateway, settings, site } = await openGateway();
      const ask = asker(gateway, await memoryToken(identity, { user: "user-demo" }));
      await ask("POST", "/v1/remember", { key: "a", value: "Kept." });
      await gateway[Symbol.asyncDispose]();
      await assert.rejects(
        startMemoryGateway({ ...settings, EMBEDDING_MODEL: "another" }),
        /EMBEDDING_MODEL is "another"; accepted: "all-minilm-l6-v2"/,
      );
      await assert.rejects(
        startMemoryGateway({ ...settings, MEMORY_MASTER_KEY_FILE: join(site.dataDir, "other.key") }),
        /MEMORY_MASTER_KEY_FILE lacks the master key mk_/,
      );
      await using back = await startMemoryGateway(settings);
      const asked = asker(back, await memoryToken(identity, { user: "user-demo" }));
      assert.equal((await asked("GET", "/v1/recall/a")).body["value"], "Kept.", "memories outlive the process");
    });
  });
}

async function vectorBytes(gateway: RealMemoryGateway, user: string): Promise<{ content: Buffer }> {
  const token = await memoryToken(identity, { user });
  const [vector] = await gateway.parts.embeddings.embed(
    ["canaryfive quartz vole number 7"],
    await gateway.parts.identity.exchange(token),
  );
  assert.ok(vector);
  return { content: Buffer.from(vector.buffer, vector.byteOffset, 256) };
}

function asker(gateway: RealMemoryGateway, token: string, headers: Readonly<Record<string, string>> = {}) {
  return async (method: "GET" | "POST" | "DELETE", url: string, body?: unknown): Promise<Answer> => {
    const answer = await gateway.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    const isJson = /^application\/(problem\+)?json/.test(String(answer.headers["content-type"]));
    const parsed: Body = isJson ? JSON.parse(answer.body) : {};
    return { status: answer.statusCode, body: parsed, text: answer.body };
  };
}

function passagesOf({ body, text }: Answer): { key: string; text: string; score: number }[] {
  const { passages } = body;
  if (!Array.isArray(passages)) throw new Error(text);
  return passages;
}

function withoutIds({ body }: Answer): string {
  const { request_id: _id, ...rest } = body;
  return JSON.stringify(rest);
}
