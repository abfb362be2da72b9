/** Reasons of discovery; part of the room's table. */
export const DISCOVERY_REASONS = {
  DomainsFound: 'The library holds domains that could be libraries of their own; the report names them.',
  NoDomains: 'The library holds no domains between which searches could be routed; the report says by which rule.',
  LibraryTooSmall: 'The library has too few points to look for domains.',
  NoDenseVector: 'The library has no dense vector by which points could be compared.',
  DiscoveryFailed: 'An attempt to look for domains failed; it is tried again with growing delay.',
} as const;
