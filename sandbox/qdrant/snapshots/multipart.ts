import { EngineError } from '../base/errors.ts';

/** The content of the `snapshot` part of a multipart/form-data body. */
export function snapshotPart(body: Buffer, contentType: string | undefined): Buffer {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType ?? '')?.[1];
  if (boundary === undefined) throw new EngineError('BadRequest', 'Multipart boundary is not found');
  const delimiter = Buffer.from(`--${boundary}`);
  for (let start = body.indexOf(delimiter); start >= 0; ) {
    const head = start + delimiter.length + 2;
    const end = body.indexOf(delimiter, head);
    const content = body.indexOf('\r\n\r\n', head);
    if (end < 0 || content < 0) break;
    if (/name="snapshot"/.test(body.toString('latin1', head, content))) return body.subarray(content + 4, end - 2);
    start = end;
  }
  throw new EngineError('BadRequest', 'Field `snapshot` is missing');
}
