import type { Socket } from 'node:dgram';
import { readQuestion, writeAnswer } from './dns-wire.ts';

/** Answers DNS queries over UDP; `resolve` gives undefined for a name that doesn't exist. */
export function serveDns(socket: Socket, resolve: (name: string) => readonly string[] | undefined): void {
  socket.on('message', (message, sender) => {
    const question = readQuestion(message);
    if (question === undefined) return;
    const answer = writeAnswer(message, question, resolve(question.name));
    // A client that is gone needs no answer.
    socket.send(answer, sender.port, sender.address, () => undefined);
  });
}
