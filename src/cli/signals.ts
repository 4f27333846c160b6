/**
 * Resolves with the first SIGTERM or SIGINT. Further SIGTERMs change nothing: supervisors repeat them while a process is stopping.
 * A second Ctrl-C ends the process at once.
 */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => {
      process.once('SIGINT', () => process.exit(130));
      resolve('SIGINT');
    });
  });
}
