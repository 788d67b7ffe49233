import assert from "node:assert/strict";
import { test } from "node:test";
import { nameSchemas } from "../src/name-schemas.ts";

test("a schema is named wherever it stands, whatever the order and the writer of its members", () => {
  const document = {
    paths: {
      "/a": { schema: { type: "object", properties: { b: { enum: ["x"], type: "string" }, c: { type: "null" } } } },
    },
  };
  const named = { B: { type: "string", const: "x" }, Nowhere: { type: "number" } };
  const definitions = { B: { type: "string", enum: ["x"] } };
  const paths = {
    "/a": { schema: { type: "object", properties: { b: { $ref: "#/components/schemas/B" }, c: { type: "null" } } } },
  };
  assert.deepEqual(nameSchemas(document, named), { paths, components: { schemas: definitions } });
  assert.deepEqual(nameSchemas(document, named, ["Nowhere"]), {
    paths,
    components: { schemas: { ...definitions, Nowhere: { type: "number" } } },
  });
});

test("a schema that only another one uses is defined, and a document that was named once stays as it is", () => {
  const inner = { type: "string", pattern: "^x" };
  const outer = { type: "object", properties: { inner } };
  const named = { Inner: inner, Outer: outer };
  const once = nameSchemas({ paths: { "/a": { schema: outer } }, components: { securitySchemes: { s: {} } } }, named);
  assert.deepEqual(once, {
    paths: { "/a": { schema: { $ref: "#/components/schemas/Outer" } } },
    components: {
      securitySchemes: { s: {} },
      schemas: {
        Inner: inner,
        Outer: { type: "object", properties: { inner: { $ref: "#/components/schemas/Inner" } } },
      },
    },
  });
  assert.deepEqual(nameSchemas(once, named), once);
});
