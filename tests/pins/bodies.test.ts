import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiKeyPage, ApiKeyView, CreatedApiKey, MakeApiKeyRequest } from "@soma/contracts/api-key";
import { EventGap, EventPage } from "@soma/contracts/audit";
import { Cause, SessionDiagnosis } from "@soma/contracts/diagnosis";
import * as identity from "@soma/contracts/identity";
import * as memory from "@soma/contracts/memory";
import { Permit, SealedToken } from "@soma/contracts/permit";
import { Decision, EvaluateRequest, ForeignDecision } from "@soma/contracts/policy";
import { FieldError, Problem } from "@soma/contracts/problem";
import { Delta, deltaAfterPattern, streamFrames } from "@soma/contracts/session-stream";
import * as session from "@soma/contracts/session";
import * as stop from "@soma/contracts/stop";
import { KnownTenant, TenantEntry } from "@soma/contracts/tenant";
import { fieldsOf } from "./fields-of.ts";

test("the orchestrator's bodies", () => {
  assert.equal(
    fieldsOf(session.StartSessionRequest),
    "tenant? tenant_id? user? user_id? prompt? messages? sampling? model? mode? idle_seconds? budget? metadata?",
  );
  assert.equal(fieldsOf(session.ChatPrompt), "messages sampling?");
  assert.equal(fieldsOf(session.ChatMessage), "role content");
  assert.equal(fieldsOf(session.Sampling), "max_tokens? temperature? top_p? seed? stop?");
  assert.equal(fieldsOf(session.StartSessionAccepted), "session_id workflow_id run_id task_queue status");
  assert.equal(
    fieldsOf(session.SessionView),
    "session_id workflow_id run_id? task_queue tenant user status blocked_on? blocked_code? model? labels capsule? created_at updated_at last_seq decision? token? result? texts_gone? error? mode? turn? turn_failure? messages_waiting? approvals? budget? actions? accepted?",
  );
  assert.equal(fieldsOf(session.SessionPage), "sessions next_cursor?");
  assert.equal(fieldsOf(session.SessionResult), "text text_digest model finish_reason usage");
  assert.equal(fieldsOf(session.SessionFailure), "code detail");
  assert.equal(fieldsOf(session.DecisionSummary), "decision_id allowed score severity reasons policy_version");
  assert.equal(fieldsOf(session.TokenSummary), "jti expires_at scopes");
  assert.equal(fieldsOf(session.Usage), "prompt_tokens completion_tokens total_tokens");
  assert.equal(fieldsOf(EventPage), "session_id gap? events next_after?");
  assert.equal(fieldsOf(EventGap), "from to hash");
  assert.equal(fieldsOf(SessionDiagnosis), "session_id status as_of causes not_asked");
  assert.equal(fieldsOf(Cause), "code since? what would_move details?");
  assert.equal(fieldsOf(stop.StopRequest), "scope target? tenant? reason");
  assert.equal(fieldsOf(stop.StopReport), "stop_id scope stopped already_ended unknown tokens");
  assert.equal(fieldsOf(stop.EraseSubjectRequest), "user tenant? reason?");
  assert.equal(fieldsOf(stop.ErasureReport), "erasure_id tenant user stopped keys_destroyed memory");
  assert.deepEqual(stop.stopScopes, ["session", "user", "agent", "tenant", "all"]);
  assert.deepEqual(stop.stopDoubts, [
    "temporal_unavailable",
    "effect_under_way",
    "not_ended_yet",
    "not_recorded",
    "not_in_time",
  ]);
  assert.deepEqual(stop.memoryErasures, ["erased", "not_configured", "unavailable"]);
  assert.deepEqual(session.textsGone, ["erased", "retention"]);
  assert.equal(fieldsOf(Delta), "step attempt offset text");
  assert.deepEqual(streamFrames, { delta: "delta", gap: "gap" });
  assert.match("completion-1.retry-2:1000001:0", new RegExp(deltaAfterPattern));
  assert.equal(fieldsOf(Problem), "type title status detail code request_id errors?");
  assert.equal(fieldsOf(FieldError), "pointer detail");
});

test("the memory gateway's bodies", () => {
  assert.equal(fieldsOf(memory.RememberRequest), "key value metadata? ttl_seconds?");
  assert.equal(fieldsOf(memory.Remembered), "key created passages expires_at?");
  assert.equal(fieldsOf(memory.Memory), "key value metadata? created_at updated_at expires_at?");
  assert.equal(fieldsOf(memory.RetrieveRequest), "query top_k");
  assert.equal(fieldsOf(memory.Retrieved), "passages");
  assert.equal(fieldsOf(memory.Passage), "key text score");
  assert.equal(fieldsOf(memory.SubjectQuery), "subject");
  assert.equal(fieldsOf(memory.ErasedSubject), "memories passages keys");
});

test("the policy engine's bodies", () => {
  assert.equal(fieldsOf(EvaluateRequest), "session_id tenant user prompt role action? resource? pack? metadata");
  assert.equal(
    fieldsOf(Decision),
    "allowed score severity reasons decision_id policy_version expires_at obligations session_id request_id",
  );
  // Four fields are all that a foreign engine must give.
  assert.equal(
    fieldsOf(ForeignDecision),
    "allowed score severity reasons decision_id? policy_version? expires_at? obligations? session_id? request_id?",
  );
});

test("the identity service's bodies and the claims of its tokens", () => {
  assert.equal(
    fieldsOf(identity.IssueTokenRequest),
    "user_id tenant_id capabilities mfa_code? agent_id? audience? ttl_seconds? session_id? step? parent_jti? parent_origins?",
  );
  assert.equal(fieldsOf(identity.IssuedToken), "token expires_in token_type");
  assert.equal(fieldsOf(identity.LoginRequest), "tenant token scope?");
  assert.equal(fieldsOf(identity.VerifyTokenRequest), "token audience?");
  assert.equal(fieldsOf(identity.VerifiedToken), "valid claims? reason?");
  assert.equal(fieldsOf(identity.RevokeTokenRequest), "token? jti?");
  assert.equal(fieldsOf(identity.RevokedToken), "revoked");
  assert.equal(
    fieldsOf(identity.TokenClaims),
    "iss sub aud jti iat exp tenant_id scope role agent_id? session_id? step? act? origins? amr?",
  );
  assert.equal(fieldsOf(identity.Actor), "sub act?");
  assert.equal(
    fieldsOf(identity.ExchangeTokenRequest),
    "grant_type subject_token subject_token_type actor_token? actor_token_type? audience scope? requested_token_type?",
  );
  assert.equal(fieldsOf(identity.ExchangedToken), "access_token issued_token_type token_type expires_in scope");
  assert.equal(fieldsOf(MakeApiKeyRequest), "tenant name role scopes expires_in_seconds? created_by");
  assert.equal(
    fieldsOf(ApiKeyView),
    "key_id tenant name role scopes created_by created_at expires_at revoked_at? last_used_at?",
  );
  assert.equal(fieldsOf(CreatedApiKey), `${fieldsOf(ApiKeyView)} secret`);
  assert.equal(fieldsOf(ApiKeyPage), "keys");
  assert.equal(fieldsOf(TenantEntry), "version status issuers");
  assert.equal(fieldsOf(KnownTenant), "tenant version status issuers");
  assert.equal(identity.tokenExchangeGrant, "urn:ietf:params:oauth:grant-type:token-exchange");
  assert.deepEqual(identity.tokenTypes, [
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:jwt",
  ]);
  assert.deepEqual([identity.maxDelegationDepth, identity.maxOrigins], [4, 16]);
});

test("what stands in Temporal's history of a step", () => {
  assert.equal(
    fieldsOf(Permit),
    "tenant session_id step round effect_key action_digest decision_id policy_version expires_at max_output_tokens? approval_id? reserve? price? memory_unavailable? mac",
  );
  assert.equal(fieldsOf(SealedToken), "jti expires_at scopes sealed");
});
