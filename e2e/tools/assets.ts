import { dirname } from 'node:path';
import { CannotStart } from '../ground.ts';
import { tools } from './tools.ts';

/** Prints a directory that `KUBEBUILDER_ASSETS` may name; builds what it lacks. Exit code 3: it can't be built here. */
try {
  const built = await tools(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'], (text) => {
    process.stderr.write(text);
  });
  process.stdout.write(`${dirname(built['kube-apiserver'])}\n`);
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 3;
}
