/**
 * Every reason that stands in a condition or an event of a RebalancePolicy, with what it means. The names are API:
 * alerts and scripts depend on them.
 */
export const REASONS = {
  // Ready
  Watching: 'Load is observed, and plans are made where they are called for.',
  NoClusterMatches: 'No QdrantCluster of the namespace matches spec.clusterSelector.',
  OneCluster: 'Only one cluster takes part: there is nowhere to go.',
  NoLibraryMatches: 'No library that spec.librarySelector matches lives on a cluster that takes part.',
  LoadUnknown: 'Too little of the window is known yet, or a cluster can not be looked at.',
  CapacityUnknown: 'Neither the spec of a cluster nor Qdrant tells how large it is: it takes no part.',
  LibrariesClaimed: 'An older policy chooses the same libraries: this one plans nothing.',
  ConfigMapTaken: 'A ConfigMap of ours has a name that somebody else uses: it is left alone.',
  InvalidSpec: 'A field of the spec breaks a rule.',
  Failed: 'The pass failed with an error; it is tried again.',
  ProgressingWithRetry: 'The pass failed with an error; it is tried again.',
  CacheBehind: 'The operator waits to see its own last write.',
  Suspended: 'Nothing is observed, planned or begun while spec.suspend is true.',
  // Planned
  Balanced: 'Nothing calls for a plan.',
  Observing: 'A plan is called for, and spec.mode is Observe.',
  Settling: 'The last move does not show in the window yet.',
  NothingBetter: 'A plan is called for, and none was found that is better and worth its moves.',
  Planning: 'A plan is being looked for.',
  Proposed: 'A plan was made.',
  AwaitingApproval: 'The plan waits for the annotation qdrant-librarian.io/plan: approve=<digest>.',
  AwaitingWindow: 'The plan waits until a window opens.',
  ApprovedByMode: 'The plan is executed because spec.mode is Auto.',
  Approved: 'The plan was approved by the annotation.',
  Moving: 'Libraries move.',
  MoveFailed: 'A move was refused or given up: the plan ends.',
  InputsChanged: 'The world is not as the plan was made for: it is not executed any further.',
  Expired: 'The plan was not approved in time.',
  Completed: 'All moves of the plan are done.',
  Stopped: 'The plan was stopped by the annotation.',
  Ended: 'The plan was stopped; refresh asks for a new one.',
  // Other conditions
  Imbalanced: 'A cluster lies above a threshold.',
  ScaleOutProposed: 'Plans are called for again and again and none helps: the clusters are too small.',
  ThresholdAhead: 'A threshold will be crossed within the horizon.',
  NothingAhead: 'No threshold will be crossed within the horizon.',
  TooLittleKnown: 'Too little of the past is known to state an error of a forecast.',
  VersionsDiffer: 'Clusters run different versions of Qdrant: nothing moves to an older one.',
  Known: 'The load of every cluster is known.',
  // VerbRefused
  UnknownVerb: 'The annotation is none of approve=<digest>, stop and refresh.',
  NoPlan: 'There is no plan.',
  DigestDiffers: 'The approval names another plan than the present one.',
  PlanExpired: 'The plan has expired.',
  PlanEnded: 'The plan has ended.',
  PlanStopped: 'The plan was stopped.',
  PlanRuns: 'The plan is being executed.',
  ModeObserves: 'spec.mode is Observe: nothing is executed.',
  // Events
  MoveStarted: 'A library was told to move.',
  MoveCompleted: 'A library lives on its new cluster.',
  PredicatesDisabled: 'A predicate refuses and is passed over: an annotation switches it off.',
  MoveStopped: 'A move was given up because the plan was stopped.',
} as const;

export type Reason = keyof typeof REASONS;
