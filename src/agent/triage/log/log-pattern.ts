/**
 * What a log can point to, those that tell most first: of two that match, the earlier in this list counts.
 * `BadConfig` and `Dependency` are told apart further by what the line says.
 */
export const LOG_CAUSES = [
  'DiskFull',
  'ReadOnlyFilesystem',
  'FileDescriptorLimit',
  'PidLimit',
  'PortInUse',
  'ClockSkew',
  'CertificateExpired',
  'TokenExpired',
  'MissingConfig',
  'BadConfig',
  'Dependency',
  'CommandNotFound',
  'WrongArchitecture',
  'PermissionDenied',
  'HeapExhausted',
  'AppError',
] as const;

export type LogCause = (typeof LOG_CAUSES)[number];

/**
 * One way a language or tool says why it gives up. The pattern is tried on single lines; its named groups are what the
 * verdict names: `variable`, `file`, `setting`, `address`, `port`, `command`, `detail`. `example` is a line it must
 * match.
 */
export interface LogPattern {
  readonly cause: LogCause;
  readonly language: string;
  readonly pattern: RegExp;
  readonly example: string;
}
