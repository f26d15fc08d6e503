import type { Evidence } from './evidence.ts';
import type { FailureMode, Verdict } from './verdict.ts';

/** What an incident is about: a workload, else a node, an objective, or podvitals itself. */
export interface IncidentSubject {
  readonly namespace?: string;
  readonly workload?: string;
  readonly node?: string;
  readonly slo?: string;
}

/**
 * A time in which something was wrong with one subject, from the first death or alert until its last alert stopped.
 * Times are integer milliseconds.
 */
export interface Incident {
  /** Short, of letters and digits: what people type. */
  readonly id: string;
  readonly subject: IncidentSubject;
  /** `Unknown` as long as no verdict decides. */
  readonly cause: string;
  readonly failureMode: FailureMode | null;
  readonly confidence: Verdict['confidence'];
  readonly summary: string;
  /** What the verdict rests on, kept for as long as the incident is. */
  readonly evidence: readonly Evidence[];
  readonly severity: 'page' | 'ticket';
  readonly from: number;
  /** When its first alert fired. */
  readonly detectedAt: number;
  /** When its last alert stopped; absent while one fires. */
  readonly quietSince?: number;
  /** As `quietSince`, once it has been quiet for so long that it is over. */
  readonly to?: number;
  readonly alerts: readonly IncidentAlert[];
  /** Names, at most 100. */
  readonly pods: readonly string[];
  /** Ids of the deaths in it, oldest first; at most 200. */
  readonly lives: readonly string[];
  /** What it has cost of the error budgets of its workload: 0.1 is a tenth. Absent where no objective says. */
  readonly budgetSpent?: readonly {
    readonly slo: string;
    readonly ratio: number;
    /** How much of the window of the objective is on record, where that is less than a day: the rest counts for nothing. */
    readonly recordedMs?: number;
  }[];
}

export interface IncidentAlert {
  readonly name: string;
  readonly severity: string;
  readonly firedAt: number;
  /** Absent while it fires. */
  readonly resolvedAt?: number;
}

/** An incident that belongs with another, and by which recorded fact. */
export interface RelatedIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: IncidentSubject;
  readonly why: string;
}
