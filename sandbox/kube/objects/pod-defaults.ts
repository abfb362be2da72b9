import { asArray, asObject, asString, at, isObject, type JsonObject } from '../json.ts';
import { fill } from './fill.ts';

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const MODE_0644 = 420;

/** Source: `pkg/apis/core/v1/defaults.go`. */
export function podSpecDefaults(spec: JsonObject): void {
  fill(spec, ['restartPolicy'], 'Always');
  fill(spec, ['dnsPolicy'], 'ClusterFirst');
  fill(spec, ['terminationGracePeriodSeconds'], 30);
  fill(spec, ['schedulerName'], 'default-scheduler');
  fill(spec, ['securityContext'], {});
  // Both names are written back, whichever was given.
  const account = asString(spec['serviceAccountName']) || asString(spec['serviceAccount']);
  if (account !== '') Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
  for (const container of [...asArray(spec['initContainers']), ...asArray(spec['containers'])].filter(isObject)) {
    containerDefaults(container);
  }
  for (const volume of asArray(spec['volumes']).filter(isObject)) volumeDefaults(volume);
}

function containerDefaults(container: JsonObject): void {
  const image = asString(container['image']);
  const tag = /:([^/]+)$/.exec(image.replace(/@.*$/, ''))?.[1];
  const latest = !image.includes('@') && (tag === undefined || tag === 'latest');
  fill(container, ['imagePullPolicy'], latest ? 'Always' : 'IfNotPresent');
  fill(container, ['terminationMessagePath'], '/dev/termination-log');
  fill(container, ['terminationMessagePolicy'], 'File');
  fill(container, ['resources'], {});
  for (const port of asArray(container['ports']).filter(isObject)) fill(port, ['protocol'], 'TCP');
  for (const variable of asArray(container['env']).filter(isObject)) {
    const field = at(variable, 'valueFrom', 'fieldRef');
    if (isObject(field)) fill(field, ['apiVersion'], 'v1');
  }
  for (const [name, limit] of Object.entries(asObject(at(container, 'resources', 'limits')))) {
    fill(container, ['resources', 'requests', name], limit ?? null);
  }
  for (const name of PROBES) {
    const probe = container[name];
    if (isObject(probe)) probeDefaults(probe);
  }
}

function probeDefaults(probe: JsonObject): void {
  fill(probe, ['timeoutSeconds'], 1);
  fill(probe, ['periodSeconds'], 10);
  fill(probe, ['successThreshold'], 1);
  fill(probe, ['failureThreshold'], 3);
  const request = probe['httpGet'];
  if (!isObject(request)) return;
  fill(request, ['path'], '/');
  fill(request, ['scheme'], 'HTTP');
}

function volumeDefaults(volume: JsonObject): void {
  for (const source of ['configMap', 'secret', 'projected', 'downwardAPI']) {
    const value = volume[source];
    if (isObject(value)) fill(value, ['defaultMode'], MODE_0644);
  }
  for (const source of asArray(at(volume, 'projected', 'sources'))) {
    const token = at(source, 'serviceAccountToken');
    if (isObject(token)) fill(token, ['expirationSeconds'], 3600);
  }
  const host = volume['hostPath'];
  if (isObject(host)) fill(host, ['type'], '');
}
