import type { Chapter } from './stage.ts';

/**
 * Chapters that touch nothing of each other's, played at the same time: what one waits for, the other uses. When one
 * fails the others are played to their end first.
 */
export const together = (...chapters: readonly Chapter[]): Chapter => ({
  title: chapters.map(({ title }) => title).join('; meanwhile: '),
  play: async (stage, progress) => {
    const said = new Map<Chapter, string>();
    const results = await Promise.allSettled(
      chapters.map((chapter) =>
        chapter.play(stage, (text) => {
          said.set(chapter, text);
          progress(chapters.flatMap((one) => said.get(one) ?? []).join(' | '));
        }),
      ),
    );
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  },
});
