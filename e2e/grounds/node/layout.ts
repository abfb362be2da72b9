import { join } from 'node:path';

export const NODE_NAME = 'node-1';

/** 198.18.0.0/15 is set aside for tests of networks: no real network has it. Source: RFC 2544. */
export const NETWORK = {
  node: '198.18.0.1',
  pods: '198.18.0.0/16',
  podsOfNode: '198.18.0.0/24',
  firstPod: '198.18.0.10',
  /** A program beside Kubernetes gets one of these. */
  outside: (index: number): string => `198.18.255.${index + 1}`,
  services: '198.19.0.0/16',
  apiService: '198.19.0.1',
  dns: '198.19.0.10',
} as const;

/** What every run's directory and cgroups are named by. Short: paths of unix sockets hold 107 bytes. */
export const MARK = 'qdrant-librarian-node-';

/** Folders of the machine in whose place the node sees its own. */
export const HIDDEN = ['/run', '/var/lib', '/var/log'] as const;

export const CSI_DRIVER = 'directory.qdrant-librarian.test';

/** Where the parts of one run lie, all below its directory. */
export type Layout = {
  readonly directory: string;
  readonly admin: string;
  readonly audit: string;
  readonly certificates: string;
  /** In the place of the machine's own `/run`, `/var/lib` and `/var/log`, for the processes of the node. */
  readonly node: string;
  readonly podLogs: string;
  readonly logs: string;
  readonly processes: string;
  readonly configuration: string;
  readonly volumes: string;
};

export function layoutOf(directory: string): Layout {
  const node = join(directory, 'node');
  return {
    directory,
    admin: join(directory, 'admin.kubeconfig'),
    audit: join(directory, 'logs/audit.jsonl'),
    certificates: join(directory, 'certificates'),
    node,
    podLogs: join(node, 'var/log/pods'),
    logs: join(directory, 'logs'),
    processes: join(directory, 'processes'),
    configuration: join(directory, 'configuration'),
    volumes: join(directory, 'volumes'),
  };
}
