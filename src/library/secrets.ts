export { mountedSecrets, secretLookup, secretNames } from '../qdrant/index.ts';
