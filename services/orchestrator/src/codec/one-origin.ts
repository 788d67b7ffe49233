import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";

/** Answers browsers (CORS) for one origin, and refuses what any other page asks for; programs send no origin. */
export function allowOneOrigin(app: Server, origin: string | undefined): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { origin: asking } = request.headers;
    if (asking === undefined) return done();
    reply.header("vary", "origin");
    if (asking !== origin)
      return done(new DomainError("FORBIDDEN", "No page of this origin may ask; see the setting CODEC_UI_ORIGIN."));
    reply.header("access-control-allow-origin", origin);
    done();
  });
  app.options("/decode", { schema: { hide: true } }, (_request, reply) =>
    reply
      .code(204)
      .headers({
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization, content-type, x-namespace",
        "access-control-max-age": "600",
      })
      .send(),
  );
}
