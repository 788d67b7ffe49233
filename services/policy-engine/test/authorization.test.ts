import assert from "node:assert/strict";
import { test } from "node:test";
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { ask, operatorsComplete, packText, startEngine } from "./engine.ts";

test("P2: nothing in the user's metadata overrides a typed field or becomes an attribute of the principal", async (t) => {
  const policies = `    admins: |
      permit (principal, action, resource)
      when { principal.role == "admin" || principal.name == "root" || principal in Group::"staff" };
`;
  const examples = "\n  - { name: n, request: { user: u, role: admin, prompt: x }, expect: { allowed: true } }\n";
  const { app } = await startEngine(t, {
    "t1.yaml": packText({ policies, authorization: "  groups: { staff: [insider] }\n", examples }),
  });
  const claims = {
    role: "admin",
    user: "root",
    user_id: "insider",
    tenant: "t2",
    session_id: "other",
    action: "session.read",
    resource: "model:free",
    allowed: true,
    score: 0,
    prompt: "harmless",
    principal: { type: "User", id: "t1/root", role: "admin" },
    context: { principal: { role: "admin" } },
    __entity: { type: "Role", id: "admin" },
    __extn: { fn: "ip", arg: "127.0.0.1" },
    uid: { __entity: { type: "User", id: "t1/insider" } },
    parents: [{ type: "Role", id: "admin" }],
    groups: ["staff"],
  };
  const plain = await ask(app, { role: "viewer" });
  const claimed = await ask(app, { role: "viewer", metadata: claims });
  assert.equal(claimed.statusCode, 200, claimed.body);
  for (const answer of [plain, claimed]) assert.equal(answer.json().allowed, false, answer.body);
  const { decision_id: _a, expires_at: _b, request_id: _c, ...one } = plain.json();
  const { decision_id: _d, expires_at: _e, request_id: _f, ...other } = claimed.json();
  assert.deepEqual(other, one);
  assert.equal(other.session_id, "sess-1");
  // The same claims made where they count are believed: the test can tell the difference.
  assert.equal((await ask(app, { role: "admin" })).json().allowed, true);
  assert.equal((await ask(app, { role: "viewer", user: "insider" })).json().allowed, true);
});

test("P2: a policy reads metadata as text under its one key, whatever JSON it was", async (t) => {
  const policies = `${operatorsComplete}    no-image: |
      @reason("no image of one's own")
      forbid (principal, action, resource)
      when { context.metadata.hasTag("image") && context.metadata.getTag("image") != "{\\"a\\":1}" };
`;
  const { app } = await startEngine(t, { "t1.yaml": packText({ policies }) });
  const denied = (await ask(app, { metadata: { image: "busybox" } })).json();
  assert.deepEqual([denied.allowed, denied.reasons], [false, ["policy no-image: no image of one's own"]]);
  assert.equal((await ask(app, { metadata: { image: { a: 1 } } })).json().allowed, true);
  assert.equal((await ask(app, { metadata: { image: null, b: [1.5, true] } })).json().allowed, false);
  assert.equal((await ask(app, { metadata: { other: 1.5 } })).json().allowed, true);
});

const labelled = `${operatorsComplete}    no-external: |
      forbid (principal, action == Action::"model.complete", resource)
      when { resource.labels.contains("external") };
`;
const models = `  models:
    default: { labels: [internal] }
    outside: { labels: [external] }
`;

test("a forbid that meets a missing attribute is a denial, although Cedar alone would allow", async (t) => {
  const { app } = await startEngine(t, { "t1.yaml": packText({ policies: labelled, authorization: models }) });
  assert.equal((await ask(app)).json().allowed, true);
  const forbidden = (await ask(app, { resource: "model:outside" })).json();
  assert.deepEqual([forbidden.allowed, forbidden.severity], [false, "medium"]);
  const failed = (await ask(app, { resource: "model:unlisted" })).json();
  assert.deepEqual([failed.allowed, failed.severity, failed.score], [false, "critical", 1]);
  assert.ok(failed.reasons.includes("policy no-external: could not be evaluated"), failed.reasons.join());
  assert.equal((await ask(app, { resource: "model:constructor" })).json().allowed, false);
});

test("a forbid that overflows passes validation and is a denial when it is asked", async (t) => {
  const policies = `${operatorsComplete}    overflows: |
      forbid (principal, action, resource)
      when { context.prompt_chars * 4611686018427387904 > 0 && context.prompt_chars > 1 };
`;
  const examples = '\n  - { name: n, request: { user: u, role: operator, prompt: "" }, expect: { allowed: true } }\n';
  const { app } = await startEngine(t, { "t1.yaml": packText({ policies, examples }) });
  assert.equal((await ask(app, { prompt: "" })).json().allowed, true);
  const failed = (await ask(app, { prompt: "hello" })).json();
  assert.deepEqual([failed.allowed, failed.severity], [false, "critical"]);
});

test("Cedar itself still leaves out a forbid that errors: the reason for the rule above", () => {
  const slot = "authorization.test";
  preparsePolicySet(slot, {
    staticPolicies: {
      may: "permit (principal, action, resource);",
      never: "forbid (principal, action, resource) when { principal.missing };",
    },
  });
  const answer = statefulIsAuthorized({
    preparsedPolicySetId: slot,
    principal: { type: "User", id: "u" },
    action: { type: "Action", id: "model.complete" },
    resource: { type: "Model", id: "default" },
    context: {},
    entities: [{ uid: { type: "User", id: "u" }, attrs: {}, parents: [] }],
  });
  assert.ok(answer.type === "success");
  assert.equal(answer.response.decision, "allow");
  assert.equal(answer.response.diagnostics.errors[0]?.policyId, "never");
});

test("groups and session actions are decided by policy", async (t) => {
  const policies = `    staff-start: |
      permit (principal in Group::"staff", action == Action::"session.start", resource);
    own-session: |
      permit (principal, action == Action::"session.cancel", resource == Session::"sess-1");
`;
  const examples =
    "\n  - { name: n, request: { user: ann, role: viewer, action: session.start, prompt: x }, expect: { allowed: true } }\n";
  const { app } = await startEngine(t, {
    "t1.yaml": packText({ policies, authorization: "  groups: { staff: [ann] }\n", examples }),
  });
  const allowed = async (changes: Record<string, unknown>) => (await ask(app, changes)).json().allowed;
  assert.equal(await allowed({ user: "ann", action: "session.start" }), true);
  assert.equal(await allowed({ user: "bob", action: "session.start" }), false);
  // Without a resource it is the request's own session.
  assert.equal(await allowed({ action: "session.cancel" }), true);
  assert.equal(await allowed({ action: "session.cancel", resource: "session:sess-2" }), false);
});
