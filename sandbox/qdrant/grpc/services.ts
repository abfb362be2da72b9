import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Qdrant } from '@qdrant/js-client-grpc';
import { asEngineError } from '../base/errors.ts';
import type { Engine } from '../engine.ts';
import { refusal } from '../routes/auth.ts';
import type { Call } from './call.ts';
import { collectionCalls } from './collections.ts';
import { pointCalls } from './points.ts';

export type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  408: Code.DeadlineExceeded,
  409: Code.AlreadyExists,
  422: Code.InvalidArgument,
  429: Code.ResourceExhausted,
  500: Code.Internal,
  501: Code.Unimplemented,
  503: Code.Unavailable,
};

/** The gRPC interface: what of it is built answers, the rest is Unimplemented. */
export function grpcHandler(engine: Engine): Handler {
  // The package exports only this service's file; the others are its dependencies.
  const services = [...Qdrant.file.services, ...Qdrant.file.dependencies.flatMap((file) => file.services)];
  const calls: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
    'qdrant.Qdrant': { healthCheck: { right: 'open', answer: () => health(engine) } },
    'qdrant.Points': pointCalls(engine),
    'qdrant.Collections': collectionCalls(engine),
  };
  const routes = (router: ConnectRouter): void => {
    for (const service of services) {
      const known = calls[service.typeName] ?? {};
      const handlers = Object.entries(known).map(([name, call]) => [name, guarded(engine, call)]);
      router.service(service, Object.fromEntries(handlers));
    }
  };
  return connectNodeAdapter({ routes });
}

const health = ({ settings }: Engine): object => ({
  title: 'qdrant - vector search engine',
  version: settings.version,
  commit: settings.commit,
});

function guarded(engine: Engine, call: Call): (message: never, context: HandlerContext) => Promise<object> {
  return async (message, context) => {
    const refused = refusal(engine.settings, call.right, Object.fromEntries(context.requestHeader));
    if (refused) {
      throw new ConnectError(refused.text, refused.status === 401 ? Code.Unauthenticated : Code.PermissionDenied);
    }
    try {
      return await call.answer(message);
    } catch (error) {
      const known = asEngineError(error);
      const retry = known.retryAfterSeconds;
      const headers = retry === undefined ? undefined : { 'retry-after': String(retry) };
      throw new ConnectError(known.message, CODES[known.status] ?? Code.Internal, headers);
    }
  };
}
