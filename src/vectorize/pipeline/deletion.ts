/** Whether so many deletions are within the guard. @param owned points of the job, those to be deleted included */
export function withinGuard(deletions: number, owned: number, guardPercent: number): boolean {
  return deletions === 0 || deletions * 100 <= guardPercent * owned;
}

export const guardMessage = (deletions: number, owned: number, guardPercent: number): string =>
  `${deletions} of ${owned} points would be deleted, more than ${guardPercent} %: none was`;
