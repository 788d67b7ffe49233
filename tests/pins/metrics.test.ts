import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@soma/kit/metrics";
import { createIdentityMetrics } from "../../services/identity-service/src/identity-metrics.ts";
import { createGatewayMetrics } from "../../services/gateway/src/gateway-metrics.ts";
import { createMemoryMetrics } from "../../services/memory-gateway/src/memory-metrics.ts";
import { createHopMetrics } from "../../services/orchestrator/src/access/hop/hop-metrics.ts";
import { createRelayMetrics } from "../../services/orchestrator/src/relay/relay-metrics.ts";
import { createCodecMetrics } from "../../services/orchestrator/src/codec/codec-metrics.ts";
import { createSessionMetrics } from "../../services/orchestrator/src/session-metrics.ts";

test("the orchestrator's own metrics have these names and types, which dashboards and alerts know", async () => {
  const { registry } = createMetrics("orchestrator");
  createSessionMetrics(registry);
  createRelayMetrics(registry);
  createHopMetrics(registry);
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE soma_"));
  assert.deepEqual(lines.map((line) => line.slice("# TYPE ".length)).toSorted(), [
    "soma_activity_duration_seconds histogram",
    "soma_audit_backlog_events gauge",
    "soma_audit_dead_letters_total counter",
    "soma_audit_delivered_total counter",
    "soma_audit_lag_seconds gauge",
    "soma_audit_relay_lease gauge",
    "soma_audit_send_failures_total counter",
    "soma_budget_overruns_total counter",
    "soma_budget_refusals_total counter",
    "soma_dependency_up gauge",
    "soma_event_streams_open gauge",
    "soma_hop_refused_total counter",
    "soma_http_request_duration_seconds histogram",
    "soma_http_requests_refused_total counter",
    "soma_model_tokens_total counter",
    "soma_sessions_ended_total counter",
    "soma_sessions_reconciled_total counter",
    "soma_sessions_started_total counter",
    "soma_upstream_calls_shed_total counter",
  ]);
});

test("the codec server's own metrics, besides those of every service", async () => {
  const { registry } = createMetrics("orchestrator-codec");
  createCodecMetrics(registry);
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE soma_codec_"));
  assert.deepEqual(lines.toSorted(), [
    "# TYPE soma_codec_payloads_total counter",
    "# TYPE soma_codec_requests_total counter",
  ]);
});

test("the identity service's own metrics, besides those of every service", async () => {
  const lines = (await createIdentityMetrics().registry.metrics())
    .split("\n")
    .filter((line) => line.startsWith("# TYPE soma_identity_"));
  assert.deepEqual(lines.toSorted(), [
    "# TYPE soma_identity_api_keys_total counter",
    "# TYPE soma_identity_issuer_key_fetches_total counter",
    "# TYPE soma_identity_logins_total counter",
    "# TYPE soma_identity_registry_refused gauge",
    "# TYPE soma_identity_revocations_total counter",
    "# TYPE soma_identity_tokens_issued_total counter",
    "# TYPE soma_identity_tokens_refused_total counter",
    "# TYPE soma_identity_verifications_total counter",
  ]);
});

test("the gateway's own metrics, besides those of every service", async () => {
  const { registry } = createGatewayMetrics();
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE soma_gateway_"));
  assert.deepEqual(lines.toSorted(), [
    "# TYPE soma_gateway_access_reports_delivered_total counter",
    "# TYPE soma_gateway_access_reports_lost_total counter",
    "# TYPE soma_gateway_connections_dropped_total counter",
    "# TYPE soma_gateway_refusals_total counter",
    "# TYPE soma_gateway_streams_open gauge",
    "# TYPE soma_gateway_tokens_total counter",
    "# TYPE soma_gateway_upstream_failures_total counter",
  ]);
});

test("the memory gateway's own metrics, besides those of every service", async () => {
  const { registry } = createMemoryMetrics();
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE soma_memory_"));
  assert.deepEqual(lines.toSorted(), [
    "# TYPE soma_memory_erasures_total counter",
    "# TYPE soma_memory_expired_total counter",
    "# TYPE soma_memory_remembered_total counter",
  ]);
});
