import type { LogPattern } from './log-pattern.ts';

// What stands around a path in an error: quotes, brackets, blanks; a path has a slash or a point in it.
const PATH = '(?<file>(?:~|\\.{1,2})?/?[\\w@+%-]{0,100}[/.][\\w./@+%-]{1,300})';
const row = (cause: LogPattern['cause'], pattern: RegExp, example: string): LogPattern => ({
  cause,
  language: 'any',
  pattern,
  example,
});

/**
 * How the system itself words an error, whatever program repeats it: the texts of strerror and getaddrinfo, the names
 * of errno. Tried on a line that says nothing more exact, in this order, so that a language nobody has listed is
 * understood, too.
 * Source: errno(3), gai_strerror(3), glibc and musl.
 */
export const ERRNO_PATTERNS: readonly LogPattern[] = [
  row(
    'CommandNotFound',
    /\b(?:exec\w{0,4}|spawn)[ (]{1,2}["'`]?(?<command>[\w./+-]{1,200})["'`]?\)?[:,]? .{0,40}(?:No such file or directory|ENOENT|not found)/i,
    'Can\'t exec "shopd": No such file or directory at run.pl line 4.',
  ),
  row(
    'CommandNotFound',
    /(?<command>[\w./+-]{1,200}): bad interpreter: No such file or directory/,
    'bash: line 1: /app/run.sh: /usr/bin/ruby3: bad interpreter: No such file or directory',
  ),
  row(
    'MissingConfig',
    new RegExp(
      `["'\`‘(: ]${PATH}["'\`’)]{0,2}(?:[:,] | ).{0,60}(?:No such file or directory|does not exist|ENOENT\\b)`,
    ),
    "sed: can't read /etc/template/app.tmpl: No such file or directory",
  ),
  row(
    'MissingConfig',
    new RegExp(
      `(?:[Nn]o such file(?: or directory)?|ENOENT\\b|[Ff]ile not found|[Cc]ould not find (?:the )?file|[Cc]annot find (?:the )?file)(?: @ \\w{1,30})?[^/\\w]{1,8}${PATH}`,
    ),
    'cannot boot: file not found: /etc/shop/boot.ini',
  ),
  row(
    'MissingConfig',
    /code: 2, kind: NotFound|\bNo such file or directory\b/,
    'Error: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
  ),
  row(
    'PermissionDenied',
    new RegExp(
      `["'\`‘(: ]${PATH}["'\`’)]{0,2}(?:[:,] | ).{0,60}(?:Permission denied|Operation not permitted|EACCES\\b|EPERM\\b)`,
    ),
    'Cannot read /etc/shadow: Permission denied',
  ),
  row(
    'PermissionDenied',
    /\bEACCES\b|\bEPERM\b|\b[Pp]ermission denied\b(?! \(publickey| for )|\b[Oo]peration not permitted\b/,
    'mount failed: Operation not permitted',
  ),
  row('ReadOnlyFilesystem', /Read-only file ?system|\bEROFS\b/i, 'cannot save state: Read-only file system'),
  row(
    'ReadOnlyFilesystem',
    /attempt to write a read-?only database|SQLITE_READONLY/i,
    'sqlite3.OperationalError: attempt to write a readonly database',
  ),
  row(
    'Dependency',
    /\bBad hostname '?(?<address>[\w.-]{1,253})/,
    "IO::Socket::INET: Bad hostname 'db.invalid'",
  ),
  row(
    'Dependency',
    /\b(?:[Ll]ook-?up|[Rr]esolv(?:e|ing)|[Rr]esolution) (?:of |for )?["'`]?(?<address>[\w-]{1,63}(?:\.[\w-]{1,63}){0,6})["'`]? (?:failed|timed out|returned (?:nothing|no))/,
    'lookup of inventory.shop.svc failed',
  ),
  row(
    'Dependency',
    /\b(?<address>[\w.-]{1,253}):? (?:does not resolve|could not be resolved|cannot be resolved|unknown host)|[Uu]nknown host:? '?(?<address2>[\w.-]{1,253})|nodename nor servname provided|No address associated with (?:host)?name|Non-recoverable failure in name resolution|Host name lookup failure/,
    'cache.invalid does not resolve',
  ),
  row(
    'Dependency',
    /Connection refused|ECONNREFUSED|Connection timed out|ETIMEDOUT|No route to host|Network is unreachable|EHOSTUNREACH|ENETUNREACH|Name or service not known|Name does not resolve|Temporary failure in name resolution/i,
    'amqp: connect: Connection refused',
  ),
  row(
    'Dependency',
    /\bECONNRESET\b|[Cc]onnection (?:was )?reset\b|socket hang up|Remote end closed connection|Empty reply from server|server closed the connection unexpectedly/,
    'ConnectionResetError: [Errno 104] Connection reset by peer',
  ),
  row(
    'Dependency',
    /\bTimeoutError\b|\b(?:socket|read|connect(?:ion)?|request|response|query|operation|call|handshake|upstream|lookup) ?[\w ]{0,30} (?:timed out|timeout)\b|: timed out$|\btimed out (?:after|waiting for|connecting|reading)\b|\btimeout (?:of \d{1,9} ?m?s )?exceeded\b/i,
    'TimeoutError: timed out',
  ),
  row(
    'PidLimit',
    /(?:fork|clone|thread|process)\b.{0,60}(?:Resource temporarily unavailable|EAGAIN|errno 11\b)/i,
    'fork: Resource temporarily unavailable',
  ),
  row('WrongArchitecture', /Exec format error|ENOEXEC/i, 'cannot run /app/server: Exec format error'),
  row(
    'HeapExhausted',
    /^Out of memory(?:!| in perl| during )|^\S{0,40}: (?:virtual memory exhausted|memory exhausted|out of memory, malloc)|\bstd::bad_alloc\b|^Allowed memory size of \d{1,15} bytes exhausted|(?:\bmalloc|\brealloc|\bmmap|\bcalloc|\bxrealloc|\bxmalloc).{0,40}(?:Cannot allocate memory|ENOMEM)/,
    'Out of memory!',
  ),
];
