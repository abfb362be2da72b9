/** A question in plain language, and the library that knows. */
export type Question = { readonly library: string; readonly text: string };

const of = (library: string, texts: readonly string[]): Question[] => texts.map((text) => ({ library, text }));

/** What can be asked of the documents that the main job vectorises. */
export const QUESTIONS: readonly Question[] = [
  ...of('documentation', [
    'How do I register a plugin in Fastify?',
    'How can I write a hook that runs before the handler of a route?',
    'How do child loggers inherit the bindings of their parent logger?',
    'How do I set the level of a child logger?',
    'How do I redact sensitive information in logs?',
    'How do I validate the body of a request with a JSON schema?',
    'How do I write a custom transport for pino in a worker thread?',
    'How do I test a Fastify application with inject, without a running server?',
  ]),
  ...of('code', [
    'Where is the function that parses a cookie header?',
    'Which class implements a fixed size circular buffer queue?',
    'Where is the code that throws an error when the socket is destroyed?',
    'Where is a Uint8Array turned into a base64 string?',
    'Which code sends the close frame of a WebSocket?',
    'Where are the headers of an HTTP response parsed?',
    'Which function escapes the special characters of a regular expression?',
  ]),
  ...of('dependencies', [
    'Which package wraps words of a string with ANSI escape codes?',
    'Which package parses and dumps YAML?',
    'Which package checks if a value is a fetch network error?',
    'Which package gives an HTTP agent for SOCKS proxies?',
    'Which package retries a promise-returning function, and under which licence?',
    'Which package compares semantic versions?',
  ]),
  ...of('analytics', [
    'Which media type do png images have?',
    'What is the media type of files with the extension woff2?',
    'Which file extensions does image/jpeg have?',
    'Is application/json compressible?',
    'What are the extensions of the media type video/mp4?',
    'Which media type is used for OpenDocument spreadsheets?',
  ]),
];
