import { flag, integer, list, object, optional, text } from '../schema/builders.ts';
import { collectionName, localRef, objectName, url } from '../schema/shapes.ts';

const GIT_URL_PATTERN = '^((https?|ssh)://[^\\s]+|[^\\s@]+@[^\\s:]+:[^\\s]+)$';
const subPath = (description: string) =>
  text(description, {
    max: 1024,
    rules: [
      {
        rule: "!self.startsWith('/') && !self.split('/').exists(part, part == '..')",
        message: "must be relative and must not contain '..'",
      },
    ],
  });

const git = object('A git repository.', {
  url: text('Its address.', { min: 1, max: 2048, pattern: GIT_URL_PATTERN }),
  ref: optional(
    text('Branch, tag or commit; default: the default branch.', {
      min: 1,
      max: 255,
      pattern: '^[^\\s~^:?*\\[\\\\-][^\\s~^:?*\\[\\\\]*$',
    }),
  ),
  path: optional(subPath('Directory inside it.')),
  credentialsSecretRef: optional(localRef('Secret with username and password, or ssh-privatekey.')),
});

const http = object('Pages by HTTP.', {
  urls: list('Pages.', url('A page.'), { min: 1, max: 256, set: true }),
  followLinks: optional(flag('Whether links below a page are followed.', { default: false })),
  maxDepth: optional(integer('How many links deep.', { min: 1, max: 16, default: 3 })),
  credentialsSecretRef: optional(localRef('Secret with an authorization header under key authorization.')),
});

const s3 = object('Objects of a bucket.', {
  bucket: text('Its name.', { min: 3, max: 63, pattern: '^[a-z0-9][a-z0-9.-]*[a-z0-9]$' }),
  prefix: optional(text('What keys begin with.', { max: 512 })),
  endpoint: optional(url("URL of the service; default: AWS's for the region.")),
  region: optional(text('Region.', { min: 1, max: 64, pattern: '^[A-Za-z0-9-]+$', default: 'us-east-1' })),
  credentialsSecretRef: optional(localRef('Secret with access-key-id and secret-access-key.')),
});

const configMap = object('Files of a ConfigMap in the same namespace.', { name: objectName('Its name.') });

const persistentVolumeClaim = object('Files of a volume.', {
  claimName: objectName('PersistentVolumeClaim in the same namespace.'),
  path: optional(subPath('Directory inside it.')),
});

const collection = object('Points of a collection that exists.', {
  clusterRef: localRef('QdrantCluster that holds it.'),
  name: collectionName('Its name.'),
  textField: text('Payload field that holds the text.', { min: 1, max: 255 }),
});

const KINDS = ['git', 'http', 's3', 'configMap', 'persistentVolumeClaim', 'collection'] as const;

export const source = object(
  'Where documents come from.',
  {
    git: optional(git),
    http: optional(http),
    s3: optional(s3),
    configMap: optional(configMap),
    persistentVolumeClaim: optional(persistentVolumeClaim),
    collection: optional(collection),
  },
  {
    rules: [
      {
        rule: `[${KINDS.map((kind) => `has(self.${kind})`).join(', ')}].filter(x, x).size() == 1`,
        message: `exactly one of ${KINDS.slice(0, -1).join(', ')} and ${KINDS.at(-1)} must be set`,
      },
    ],
  },
);
