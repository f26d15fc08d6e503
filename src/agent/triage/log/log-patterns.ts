import type { LogPattern } from './log-pattern.ts';

// No pattern repeats within a repetition, and lines are cut before they are tried: the time is linear in practice.
// An environment variable in the manner of the field: capitals, digits, underscores. Not one of the words that programs
// write in capitals and that name no setting: levels, protocols, formats, marks that authors leave for later.
const VARIABLE =
  '(?<variable>(?!(?:ERROR|FATAL|CRITICAL|PANIC|EMERG|WARN|WARNING|INFO|DEBUG|HTTP|HTTPS|JSON|YAML|TOML|XML|HTML|ENOENT|FAIL|FAILED|POST|GET|PUT|PATCH|HEAD|DELETE|SQL|TLS|SSL|TCP|UDP|DNS|API|OK|EOF|UTF|CSV|NULL|TRUE|FALSE|AND|NOT|NO|THE|TODO|CPU|GPU|RAM|UID|GID|PID|JVM|GC)\\b)[A-Z][A-Z0-9_]{2,63})';

const SETTING =
  '(?:config(?:uration)?|settings?|option|property|parameter|variable|credential|field)(?: value| key| option| file)?';

const row = (cause: LogPattern['cause'], language: string, pattern: RegExp, example: string): LogPattern => ({
  cause,
  language,
  pattern,
  example,
});

const missing = (language: string, pattern: RegExp, example: string) =>
  row('MissingConfig', language, pattern, example);
const dependency = (language: string, pattern: RegExp, example: string) =>
  row('Dependency', language, pattern, example);
const badConfig = (language: string, pattern: RegExp, example: string) =>
  row('BadConfig', language, pattern, example);

const MISSING_CONFIG: readonly LogPattern[] = [
  missing(
    'any',
    new RegExp(
      `(?i:\\b(?:missing|undefined|unset|required|need|needs|no|provide|define|specify|set) (?:the |a |an )?(?:required |mandatory |necessary )?(?:env(?:ironment)?(?: |-)?)?(?:var(?:iable)?s?|settings?|config(?:uration)?(?: value| option| key)?)s?)[ :"'\`(\${]{1,4}${VARIABLE}\\b`,
    ),
    'Error: missing required environment variable PAYMENT_URL',
  ),
  missing(
    'any',
    new RegExp(
      `(?:env(?:ironment)? )?(?:variable|var|setting|option)?[ "'\`$\${(]{0,4}\\b${VARIABLE}\\b[ "'\`})]{0,3}(?:environment variable |env var |variable )?(?:is |was |must be |has to be |needs to be |should be )?(?:not (?:been )?(?:set|defined|provided|configured|specified|found)|unset|undefined|missing|required|empty|mandatory|set in the environment|must be set|must be defined|must be provided|cannot be empty)`,
    ),
    'FATAL: DATABASE_URL is not set',
  ),
  missing(
    'any',
    new RegExp(
      `\\b[Nn]o ["'\`]?${VARIABLE}["'\`]? (?:was |is |has been )?(?:set|configured|given|provided|specified|defined)\\b`,
    ),
    'no DSN configured',
  ),
  missing(
    'any',
    new RegExp(
      `\\b${VARIABLE}\\b[ "'\`]{0,2} ?(?:environment variable|env var)? ?(?:must|has to|needs to) be (?:set|defined|provided|specified)`,
    ),
    'SECRET_KEY_BASE must be set',
  ),
  missing(
    'any',
    new RegExp(
      `(?i:set|export|define|provide) (?:the )?(?:env(?:ironment)? (?:variable|var) )?["'\`$]?${VARIABLE}["'\`]? (?:before|first|to start|environment variable|in (?:the|your) environment|[.!]?$)`,
    ),
    'Please set JWT_ISSUER before starting the server',
  ),
  missing('python', /^KeyError: '(?<variable>[A-Z][A-Z0-9_]{1,63})'$/, "KeyError: 'STRIPE_ACCOUNT'"),
  missing(
    'python (pydantic)',
    /^(?<variable>[A-Za-z][A-Za-z0-9_]{1,63}) {0,2}Field required \[type=missing/,
    'database_url Field required [type=missing, input_value={}, input_type=dict]',
  ),
  missing(
    'python (django)',
    /ImproperlyConfigured: (?:Set the )?(?:The )?(?<variable>[A-Z][A-Z0-9_]{1,63}) (?:environment variable|setting must not be empty)/,
    'django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.',
  ),
  missing(
    'python (decouple)',
    /UndefinedValueError: (?<variable>[A-Za-z][A-Za-z0-9_]{1,63}) not found\. Declare it/,
    'decouple.UndefinedValueError: MAIL_HOST not found. Declare it as envvar or define a default value.',
  ),
  missing(
    'ruby',
    /key not found: "(?<variable>[A-Z][A-Z0-9_]{1,63})" \(KeyError\)/,
    `config/app.rb:3:in 'ENV.fetch': key not found: "REDIS_URL" (KeyError)`,
  ),
  missing(
    'shell',
    /(?:^|: )(?<variable>[A-Za-z_][A-Za-z0-9_]{1,63}): (?:parameter (?:null or )?not set|unbound variable|parameter not set or null)/,
    '/entrypoint.sh: line 4: API_BASE: unbound variable',
  ),
  missing(
    'shell',
    /(?<variable>[A-Z][A-Z0-9_]{1,63}): (?:[Mm]ust be set|is required|not set)\b/,
    './run.sh: 3: QUEUE_NAME: must be set',
  ),
  missing(
    'go (envconfig)',
    /required key (?<variable>[A-Z][A-Z0-9_]{1,63}) missing value/,
    '2026/03/01 10:00:00 required key CART_DSN missing value',
  ),
  missing(
    'go (caarlos0/env)',
    /env: (?:required )?environment variable "(?<variable>[A-Za-z][A-Za-z0-9_]{1,63})" (?:is not set|should not be empty)/,
    'env: required environment variable "LEDGER_ADDR" is not set',
  ),
  missing(
    'java (spring)',
    /Could not resolve placeholder '(?<setting>[\w.-]{1,100})' in value/,
    `Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'payment.url' in value "\${payment.url}"`,
  ),
  missing(
    'java (spring)',
    /Failed to configure a DataSource: '(?<setting>url)' attribute is not specified/,
    "Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource could be configured.",
  ),
  missing(
    'java',
    /NullPointerException: (?:environment variable|env) (?<variable>[A-Z][A-Z0-9_]{1,63})\b/i,
    'Exception in thread "main" java.lang.NullPointerException: environment variable BROKER_URL',
  ),
  missing(
    '.net',
    /(?:connection string|configuration (?:key|value|section)) ['"](?<setting>[\w.:-]{1,100})['"] (?:is |was )?(?:missing|not found|not set|required|null)/i,
    "Unhandled exception. System.InvalidOperationException: Connection string 'OrdersDb' not found.",
  ),
  missing(
    'node (zod)',
    /^\s*(?:✖|×|-|•)? ?(?<variable>[A-Z][A-Z0-9_]{1,63}): (?:Required|Invalid input: expected \w{1,20}, received undefined)/,
    '  PAYMENT_URL: Required',
  ),
  missing(
    'node (envalid)',
    /^\s*(?<variable>[A-Z][A-Z0-9_]{1,63}): (?:undefined|\(required\)|Missing|missing)(?: |$)/,
    '    SMTP_HOST: undefined (mail relay)',
  ),
  missing(
    'rust',
    /environment variable not found: (?<variable>[A-Z][A-Z0-9_]{1,63})\b/,
    'called `Result::unwrap()` on an `Err` value: environment variable not found: DATABASE_URL',
  ),
  missing(
    'rust',
    /(?<variable>[A-Z][A-Z0-9_]{1,63})[^A-Za-z0-9_].{0,60}\bNotPresent\b/,
    "thread 'main' panicked at src/main.rs:9:10: LISTEN_ADDR must be present: NotPresent",
  ),
  missing(
    'mysql',
    /Database is uninitialized and password option is not specified/,
    '2026-03-01 10:00:00+00:00 [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified',
  ),
  missing(
    'postgres',
    /Database is uninitialized and superuser password is not specified/,
    'Error: Database is uninitialized and superuser password is not specified.',
  ),
  missing(
    'node',
    /ENOENT: no such file or directory, (?:open|stat|lstat|access|scandir|read) '(?<file>[^']{1,300})'/,
    "Error: ENOENT: no such file or directory, open '/etc/cart/config.json'",
  ),
  missing(
    'python',
    /FileNotFoundError: \[Errno 2\] No such file or directory: '(?<file>[^']{0,200}[/.][^']{1,200})'/,
    "FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/settings.yaml'",
  ),
  missing(
    'python',
    /can't open file '(?<file>[^']{1,300})': \[Errno 2\]/,
    "python: can't open file '/app/worker.py': [Errno 2] No such file or directory",
  ),
  missing(
    'go',
    /\bopen (?<file>[^\s:]{1,300}): no such file or directory/,
    'panic: open /etc/ledger/ledger.toml: no such file or directory',
  ),
  missing(
    'java',
    /(?:FileNotFoundException|NoSuchFileException): (?<file>[^\s(]{1,300})/,
    'Exception in thread "main" java.io.FileNotFoundException: /config/application.yml (No such file or directory)',
  ),
  missing(
    '.net',
    /FileNotFoundException: Could not find file '(?<file>[^']{1,300})'/,
    "Unhandled exception. System.IO.FileNotFoundException: Could not find file '/app/appsettings.Production.json'.",
  ),
  missing(
    'ruby',
    /No such file or directory @ rb_sysopen - (?<file>\S{1,300})/,
    "app.rb:2:in `initialize': No such file or directory @ rb_sysopen - /etc/shop.yml (Errno::ENOENT)",
  ),
  missing(
    'nginx',
    /\[emerg\].{0,80}open\(\) "(?<file>[^"]{1,300})" failed \(2: No such file/,
    'nginx: [emerg] open() "/etc/nginx/conf.d/site.conf" failed (2: No such file or directory)',
  ),
  missing(
    'nginx',
    /cannot load certificate(?: key)? "(?<file>[^"]{1,300})": BIO_new_file\(\) failed.{0,60}No such file/,
    'nginx: [emerg] cannot load certificate "/etc/tls/tls.crt": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)',
  ),
  missing(
    'prometheus',
    /[Ee]rror loading config.{0,80}open (?<file>[^\s:]{1,300}): no such file/,
    'level=error msg="Error loading config (--config.file=/etc/p.yml)" err="open /etc/p.yml: no such file or directory"',
  ),
  missing(
    'shell',
    /(?:cat|source|head|\.): (?:can't open )?'?(?<file>\/[^\s':]{1,300})'?: No such file or directory/,
    'cat: /run/secrets/db-user: No such file or directory',
  ),
  missing(
    'any',
    new RegExp(
      `\\b${SETTING} ['"\`](?<setting>[\\w.:-]{1,100})['"\`] (?:is |was |must be |has to be )?(?:required|missing|not (?:set|found|defined|provided|specified|present|configured)|undefined|unset|empty|mandatory)`,
      'i',
    ),
    "Error: config value 'database.host' is required",
  ),
  missing(
    'any',
    new RegExp(
      `\\b(?:missing|required|no|undefined|unset) (?:required |mandatory )?${SETTING}:? ['"\`]?(?<setting>[a-z][\\w-]{0,60}[._-][\\w.-]{1,60})`,
      'i',
    ),
    'fatal: missing configuration key payment.endpoint',
  ),
  missing(
    'any',
    /(?:the following arguments are required|missing required (?:flag|option|argument)s?|required (?:flag|option|argument)\(?s?\)?):? ['"`]?(?<setting>--?[a-z][\w-]{1,60})/i,
    'worker.py: error: the following arguments are required: --database-url',
  ),
  missing(
    'any',
    /(?:config(?:uration)?|settings?|credentials?|certificate|key) file ['"]?(?<file>[\w./-]{1,300})['"]? (?:was |could )?(?:not (?:be )?(?:found|exist)|does not exist|missing|is missing)/i,
    'Fatal: config file /etc/redis/redis.conf not found',
  ),
];

const BAD_CONFIG: readonly LogPattern[] = [
  badConfig(
    'node',
    /SyntaxError: (?<file>[^\s:]{1,300}\.(?:json|ya?ml|toml)): (?<detail>.{1,160})/,
    'SyntaxError: /app/config.json: Unexpected token } in JSON at position 41',
  ),
  badConfig(
    'node',
    /SyntaxError: (?<detail>(?:Unexpected (?:token|end|non-whitespace)|Expected .{1,60}|Bad control character).{0,100}\bJSON\b.{0,80})/,
    'SyntaxError: Unexpected token \'}\', "{"port":}" is not valid JSON',
  ),
  badConfig(
    'node (yaml)',
    /YAMLException: (?<detail>.{1,160})/,
    'YAMLException: bad indentation of a mapping entry (4:3)',
  ),
  badConfig(
    'python',
    /yaml\.(?:scanner\.Scanner|parser\.Parser|composer\.Composer|constructor\.Constructor)Error: (?<detail>.{1,160})/,
    'yaml.scanner.ScannerError: mapping values are not allowed here',
  ),
  badConfig(
    'python',
    /json\.decoder\.JSONDecodeError: (?<detail>.{1,160})/,
    'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
  ),
  badConfig(
    'python',
    /tomllib\.TOMLDecodeError: (?<detail>.{1,160})/,
    'tomllib.TOMLDecodeError: Invalid value (at line 3, column 8)',
  ),
  badConfig(
    'python (argparse)',
    /error: (?<detail>unrecognized arguments: .{1,120}|argument .{1,60}: invalid .{1,100}|the following arguments are required: \w.{0,100})/,
    'worker.py: error: unrecognized arguments: --concurency 4',
  ),
  badConfig(
    'go',
    /^flag provided but not defined: (?<setting>-[\w-]{1,80})/,
    'flag provided but not defined: -listen-adress',
  ),
  badConfig(
    'go (pflag)',
    /(?:^|Error: |error: )(?<detail>unknown (?:shorthand )?flag: .{1,100})/,
    'Error: unknown flag: --max-con',
  ),
  badConfig(
    'go',
    /invalid value "[^"]{0,80}" for flag (?<setting>-[\w-]{1,80})/,
    'invalid value "ten" for flag -workers: parse error',
  ),
  badConfig(
    'go (yaml)',
    /(?<detail>yaml: (?:line \d{1,7}: |unmarshal errors).{0,140})/,
    'error parsing config: yaml: line 7: did not find expected key',
  ),
  badConfig(
    'go (json)',
    /(?:config|settings).{0,80}(?<detail>invalid character .{1,80})/i,
    "cannot read config: invalid character '}' looking for beginning of value",
  ),
  badConfig(
    'any',
    /: (?<detail>(?:unrecognized|unknown|invalid|illegal) option(?: --|: )? ?['‘"-].{1,100})/,
    "ls: unrecognized option '--no-such-flag'",
  ),
  badConfig('node', /: (?<detail>bad option: \S{1,100})$/, 'node: bad option: --max-old-space'),
  badConfig('node', /(?<detail>Invalid URL)(?:$|['": ])|ERR_INVALID_URL/, 'TypeError: Invalid URL'),
  badConfig(
    'java',
    /Unrecognized (?:VM )?option:? '?(?<setting>[^\s']{1,100})/,
    "Unrecognized VM option 'UseConcMarkSweepGC'",
  ),
  badConfig(
    'java (spring)',
    /Failed to bind properties under '(?<setting>[\w.[\]-]{1,100})'/,
    "Failed to bind properties under 'server.port' to java.lang.Integer:",
  ),
  badConfig(
    'nginx',
    /\[emerg\].{0,20}(?<detail>(?:unknown directive|unexpected|invalid|directive|"[\w_]{1,40}" directive).{1,200}\bin (?<file>\/[^\s:]{1,200}):\d{1,7})/,
    'nginx: [emerg] unknown directive "servername" in /etc/nginx/nginx.conf:12',
  ),
  badConfig(
    'prometheus',
    /[Ee]rror (?:loading|parsing) config.{0,60}(?:err|error)[=:] ?"?(?<detail>.{1,140})/,
    'msg="Error loading config" err="parsing YAML file prometheus.yml: field scrape_intervall not found"',
  ),
  badConfig(
    'redis',
    /FATAL CONFIG FILE ERROR(?<detail>.{0,60})/,
    '*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***',
  ),
  badConfig(
    'postgres',
    /FATAL: {1,2}(?<detail>configuration file "(?<file>[^"]{1,200})" contains errors)/,
    'FATAL:  configuration file "/etc/postgresql/postgresql.conf" contains errors',
  ),
  badConfig(
    'rust',
    /(?<detail>TOML parse error at line \d{1,7}.{0,80})/,
    'Error: TOML parse error at line 3, column 9',
  ),
  badConfig(
    'any',
    /(?:could not|cannot|can't|failed to|unable to|error) (?:parse|parsing|load|loading|read|decode|decoding) (?:the )?(?:config(?:uration)?|settings)(?: file)? ?['"]?(?<file>\/?[\w./-]{0,200})['"]?:? (?<detail>.{1,140})/i,
    'Failed to parse config file /etc/app.yml: duplicate key "port"',
  ),
  badConfig(
    'any',
    /invalid (?:value|setting|configuration)(?: ['"][^'"]{0,80}['"])? (?:for|of|in) (?:environment variable |setting |option )?['"]?(?<setting>[A-Z][A-Z0-9_]{1,63})\b/i,
    'Error: invalid value "abc" for WORKER_COUNT: expected a number',
  ),
  badConfig(
    'any',
    /\b(?<setting>[A-Z][A-Z0-9]{0,30}_[A-Z0-9_]{1,63}) (?:must be|should be|is not) (?:a |an )(?:valid )?(?:number|integer|url|boolean|positive|port)/i,
    'Error: HTTP_PORT must be a number, got "http"',
  ),
];

const DEPENDENCY: readonly LogPattern[] = [
  dependency(
    'node',
    /connect (?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET) (?<address>[\w.:[\]-]{1,120})/,
    'Error: connect ECONNREFUSED 10.88.0.7:5432',
  ),
  dependency(
    'node',
    /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?<address>[\w.-]{1,253})/,
    'Error: getaddrinfo ENOTFOUND redis.shop.svc',
  ),
  dependency(
    'node (mongo)',
    /Mongo(?:ServerSelection|Network(?:Timeout)?)Error: .{0,40}?(?<address>[\w.-]{1,120}:\d{1,5})/,
    'MongoServerSelectionError: connect ECONNREFUSED 10.0.0.3:27017',
  ),
  dependency(
    'python',
    /ConnectionRefusedError: \[Errno 111\](?: Connect call failed \('(?<address>[^']{1,120})', (?<port>\d{1,5})\)| Connection refused)/,
    "ConnectionRefusedError: [Errno 111] Connect call failed ('10.88.0.9', 6379)",
  ),
  dependency(
    'python',
    /socket\.gaierror: \[Errno -?\d{1,3}\] (?<detail>.{1,80})/,
    'socket.gaierror: [Errno -2] Name or service not known',
  ),
  dependency(
    'python (requests)',
    /(?:NewConnectionError|MaxRetryError|ConnectionError).{0,60}host='(?<address>[^']{1,253})', port=(?<port>\d{1,5})/,
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='payments', port=8080): Max retries exceeded with url: /health",
  ),
  dependency(
    'python (psycopg)',
    /connection to server at "(?<address>[^"]{1,253})"(?: \([^)]{1,64}\))?, port (?<port>\d{1,5}) failed/,
    'psycopg2.OperationalError: connection to server at "db" (10.1.1.4), port 5432 failed: Connection refused',
  ),
  dependency(
    'python (psycopg)',
    /could not translate host name "(?<address>[^"]{1,253})" to address/,
    'psycopg2.OperationalError: could not translate host name "postgres" to address: Name or service not known',
  ),
  dependency(
    'python (redis)',
    /redis\.exceptions\.(?:Connection|Timeout)Error: Error (?:-?\d{1,4} )?connecting to (?<address>[\w.:-]{1,120})/,
    'redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.',
  ),
  dependency(
    'go',
    /dial (?:tcp|udp)[46]? (?<address>[\w.:[\]-]{1,120}): (?:connect: )?(?:connection refused|i\/o timeout|no route to host|connection timed out|network is unreachable)/,
    'panic: dial tcp 10.88.0.12:5432: connect: connection refused',
  ),
  dependency(
    'go',
    /dial (?:tcp|udp)[46]?:? lookup (?<address>[\w.-]{1,253}).{0,60}(?:no such host|server misbehaving|i\/o timeout)/,
    'dial tcp: lookup orders-db on 10.96.0.10:53: no such host',
  ),
  dependency(
    'go (grpc)',
    /rpc error: code = (?:Unavailable|DeadlineExceeded).{0,200}/,
    'failed to fetch flags: rpc error: code = Unavailable desc = name resolver error: produced zero addresses',
  ),
  dependency(
    'java',
    /java\.net\.ConnectException: (?<detail>Connection (?:refused|timed out).{0,80})/,
    'Caused by: java.net.ConnectException: Connection refused (Connection refused)',
  ),
  dependency(
    'java',
    /java\.net\.UnknownHostException: (?<address>[\w.-]{1,253})/,
    'Caused by: java.net.UnknownHostException: kafka.shop.svc: Name or service not known',
  ),
  dependency(
    'java',
    /Connection to (?<address>[\w.:-]{1,120}) refused/,
    'org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct.',
  ),
  dependency(
    'java (jdbc)',
    /(?<detail>Communications link failure)/,
    'com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure',
  ),
  dependency(
    'ruby',
    /Failed to open TCP connection to (?<address>[\w.:-]{1,120})/,
    'Failed to open TCP connection to search:9200 (Connection refused - connect(2) for "search" port 9200) (Errno::ECONNREFUSED)',
  ),
  dependency(
    'ruby (redis)',
    /Error connecting to Redis on (?<address>[\w.:-]{1,120})/,
    'Error connecting to Redis on redis:6379 (Errno::ECONNREFUSED) (Redis::CannotConnectError)',
  ),
  dependency(
    '.net',
    /SocketException \(\d{1,6}\): (?<detail>Connection refused|Name or service not known|Connection timed out|No route to host)/,
    'System.Net.Sockets.SocketException (111): Connection refused',
  ),
  dependency(
    'shell',
    /nc: (?:connect to )?(?<address>[\w.-]{1,253}) (?:port (?<port>\d{1,5}) )?.{0,60}(?:Connection refused|timed out)/,
    'nc: connect to db port 5432 (tcp) failed: Connection refused',
  ),
  dependency(
    'curl',
    /curl: \((?:6|7|28)\) (?:Failed to connect to|Could not resolve host:?) (?<address>[\w.-]{1,253})(?: port (?<port>\d{1,5}))?/,
    'curl: (7) Failed to connect to vault port 8200 after 2 ms: Connection refused',
  ),
  dependency(
    'curl',
    /curl: \(28\) (?<detail>(?:Operation|Connection|Resolving) timed out.{0,100})/,
    'curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received',
  ),
  dependency(
    'nginx',
    /host not found in upstream "(?<address>[^"]{1,253})"/,
    'nginx: [emerg] host not found in upstream "cart:8080" in /etc/nginx/conf.d/default.conf:4',
  ),
  dependency(
    'rust',
    /Connect(?:ion)?(?:Error|Refused)?.{0,120}Os \{ code: (?:111|110|113)/,
    'Error: error trying to connect: tcp connect error: Connect Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }',
  ),
  dependency(
    'shell',
    /(?:timed out|timeout|gave up|giving up) (?:after .{1,30} )?waiting for (?<address>[\w.-]{1,200}(?::\d{1,5})?)/i,
    'wait-for-it.sh: timeout occurred: timed out after 15 seconds waiting for db:5432',
  ),
  dependency(
    'any',
    /(?:could not|cannot|can't|failed to|unable to) connect to (?:the )?(?:database |server |broker |host )?(?:at |on )?['"]?(?<address>[a-z][\w.-]{0,200}:\d{1,5}|\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?)/i,
    'FATAL could not connect to broker kafka-0:9092',
  ),
  dependency(
    'shell',
    /\/dev\/tcp\/(?<address>[\w.-]{1,253})\/(?<port>\d{1,5}): (?:Connection refused|Connection timed out|No route to host|Name or service not known)/,
    'sh: line 1: /dev/tcp/127.0.0.1/5432: Connection refused',
  ),
  dependency(
    'wget',
    /(?:unable to resolve host address|bad address) ['‘"]?(?<address>[\w.-]{1,253})/,
    "wget: bad address 'orders:8080'",
  ),
  dependency(
    'python (requests)',
    /HTTPS?ConnectionPool\(host='(?<address>[^']{1,253})', port=(?<port>\d{1,5})\): Read timed out/,
    "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='payments', port=8080): Read timed out. (read timeout=3)",
  ),
  dependency(
    'node (undici)',
    /ConnectTimeoutError|HeadersTimeoutError|BodyTimeoutError|UND_ERR_\w{1,20}_TIMEOUT|TimeoutError: The operation was aborted due to timeout/,
    'TimeoutError: The operation was aborted due to timeout',
  ),
  dependency(
    'java',
    /SocketTimeoutException: (?<detail>.{1,80})/,
    'Caused by: java.net.SocketTimeoutException: Connect timed out',
  ),
  dependency(
    'any',
    /(?:cannot|can't|could not|unable to|failed to) reach (?:the )?(?:[\w-]{1,60} )?(?:at )?(?<address>[\w.-]{1,253}:\d{1,5})/i,
    'cannot reach payments at 10.0.0.7:7000: no answer',
  ),
  dependency(
    'any',
    /ECONNREFUSED|[Cc]onnection (?:was )?refused|ETIMEDOUT|ESOCKETTIMEDOUT|[Cc]onnect(?:ion|ing)? (?:attempt )?timed? ?out|(?:request|query|read|dial|operation) timed out|context deadline exceeded|EHOSTUNREACH|ENETUNREACH|[Nn]o route to host|ENOTFOUND|EAI_AGAIN|[Nn]ame or service not known|[Tt]emporary failure in name resolution|[Cc]ould not resolve host|NXDOMAIN|[Uu]pstream (?:request )?timeout/,
    'ERROR: database: connection refused',
  ),
];

const OTHERS: readonly LogPattern[] = [
  row(
    'DiskFull',
    'any',
    /ENOSPC|[Nn]o space left on device|NoSpaceLeft|DISK_FULL|database or disk is full|[Dd]isk quota exceeded|EDQUOT/,
    "Error: ENOSPC: no space left on device, write '/data/queue.log'",
  ),
  row(
    'ReadOnlyFilesystem',
    'node',
    /EROFS: read-only file system, \w{1,20} '(?<file>[^']{1,300})'/,
    "Error: EROFS: read-only file system, open '/data/wal'",
  ),
  row(
    'ReadOnlyFilesystem',
    'python',
    /\[Errno 30\] Read-only file system(?:: '(?<file>[^']{1,300})')?/,
    "OSError: [Errno 30] Read-only file system: '/data/wal'",
  ),
  row(
    'ReadOnlyFilesystem',
    'go',
    /(?:open|mkdir|create|unlink|remove|rename|chmod|chown) (?<file>[^\s]{1,300}): read-only file system/,
    'panic: open /data/wal: read-only file system',
  ),
  row(
    'ReadOnlyFilesystem',
    'any',
    /(?:['‘ ](?<file>\/[^\s'’:]{1,300})['’]?(?:: | ).{0,40})?(?:[Rr]ead-only file ?system|EROFS|ReadOnlyFileSystem)/,
    'sh: 1: cannot create /etc/shop/state: Read-only file system',
  ),
  row(
    'FileDescriptorLimit',
    'any',
    /EMFILE|ENFILE|[Tt]oo many open files|Errno 24\b|worker_connections are not enough/,
    "Error: EMFILE: too many open files, open '/etc/hostname'",
  ),
  row(
    'PidLimit',
    'any',
    /\bfork\b.{0,60}(?:[Rr]esource temporarily unavailable|EAGAIN|[Cc]annot allocate)|[Cc]an(?:no|')t fork|unable to create (?:new )?native thread|can't start new thread|pthread_create failed|newosproc|spawn \S{1,200} EAGAIN|[Ff]ailed to create (?:new )?(?:OS )?thread/,
    'sh: 0: Cannot fork',
  ),
  row(
    'ClockSkew',
    'any',
    /[Cc]lock ?[Ss]kew|TimeTooSkewed|CERT_NOT_YET_VALID|certificate (?:is )?not yet valid|\b(?:system |local |node |host )?clock(?: is| was| of \S{1,60} is)? (?:wrong|off|behind|ahead|out of sync|not synchron|drift|differs)|clock drift|\b(?:jwt|token) (?:is )?(?:not active|not yet valid|used before)|\bissued (?:at .{0,40})?in the future|"(?:nbf|iat)" claim timestamp check failed|difference between the request time and the (?:current|server) time|timestamp .{0,40}(?:in the future|outside (?:of )?the (?:allowed|recv))/i,
    'KDC reply: Clock skew too great while getting initial credentials',
  ),
  row(
    'CertificateExpired',
    'any',
    /CERT_HAS_EXPIRED|certificate (?:has |is )?expired|certificate_expired|x509: certificate has expired|CertificateExpiredException|SSL certificate problem: certificate has expired|certificate verify failed: certificate has expired|NotAfter: .{1,60}CertPathValidator/i,
    'Error: certificate has expired',
  ),
  row(
    'TokenExpired',
    'any',
    /TokenExpiredError|ExpiredSignatureError|ExpiredTokenException|ExpiredJwtException|\b(?:jwt|token|session|credentials?|api key|\[redacted\])(?: \S{1,40})? (?:has (?:been )?|have |is |are |was )?expired\b|\bexpired (?:jwt|token|credentials?)\b|token is expired|"exp" claim timestamp check failed|Signature has expired/i,
    'TokenExpiredError: jwt expired',
  ),
  row(
    'PortInUse',
    'node',
    /EADDRINUSE: address already in use (?<address>[\w.:[\]*]{0,80}?):(?<port>\d{1,5})/,
    'Error: listen EADDRINUSE: address already in use :::8080',
  ),
  row(
    'PortInUse',
    'go',
    /listen (?:tcp|udp)[46]? (?<address>[\w.:[\]]{0,80}?):(?<port>\d{1,5}): bind: address already in use/,
    'listen tcp :9090: bind: address already in use',
  ),
  row(
    'PortInUse',
    'java',
    /(?:Web server failed to start\. Port (?<port>\d{1,5}) was already in use|java\.net\.BindException: Address already in use)/,
    'Web server failed to start. Port 8080 was already in use.',
  ),
  row(
    'PortInUse',
    'nginx',
    /bind\(\) to (?<address>[\w.:[\]]{0,80}?):(?<port>\d{1,5}) failed \(98: Address/,
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
  ),
  row(
    'PortInUse',
    'python',
    /error while attempting to bind on address \('(?<address>[^']{0,80})', (?<port>\d{1,5})[^)]{0,20}\): address already in use/,
    "[Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
  ),
  row(
    'PortInUse',
    'any',
    /(?:OSError: \[Errno 98\]|Errno::EADDRINUSE|AddrInUse|[Aa]ddress already in use|[Pp]ort (?<port>\d{1,5}) is already (?:in use|allocated))/,
    'OSError: [Errno 98] Address already in use',
  ),
  row(
    'CommandNotFound',
    'shell',
    /(?:^|: )(?:\d{1,5}: |line \d{1,5}: )?(?:exec: )?(?<command>[\w./+-]{1,200}): (?:command )?not found$/,
    '/entrypoint.sh: line 7: gunicorn: command not found',
  ),
  row(
    'CommandNotFound',
    'shell',
    /(?:exec|env|nohup|setpriv|su-exec|gosu): (?:line \d{1,5}: )?['"‘“]?(?<command>[\w./+-]{1,200})['"’”]?: (?:No such file or directory|not found)/,
    "env: 'python3.9': No such file or directory",
  ),
  row(
    'CommandNotFound',
    'any',
    /exec: "(?<command>[^"]{1,200})": (?:executable file not found in \$?PATH|stat [^:]{1,200}: no such file or directory)/,
    'exec: "shop-server": executable file not found in $PATH',
  ),
  row('CommandNotFound', 'node', /spawn (?<command>[\w./+-]{1,200}) ENOENT/, 'Error: spawn ffmpeg ENOENT'),
  row(
    'CommandNotFound',
    'python',
    /FileNotFoundError: \[Errno 2\] No such file or directory: '(?<command>[\w+-]{1,60})'$/,
    "FileNotFoundError: [Errno 2] No such file or directory: 'pg_dump'",
  ),
  row(
    'WrongArchitecture',
    'shell',
    /(?:^|: )(?:\d{1,5}: |line \d{1,5}: )?(?:exec: )?(?<command>[\w./+-]{1,200}): (?:cannot execute(?:: required file not found| binary file)?(?!: (?:Is a directory|Permission denied|No such file))|[Ee]xec format error)(?:$|:)/,
    '/entrypoint.sh: line 3: /app/server: cannot execute binary file: Exec format error',
  ),
  row(
    'WrongArchitecture',
    'any',
    /exec(?:ve)?:? "?(?<command>[^"\s:]{1,200})"?:? exec format error/i,
    'exec /app/start.sh: exec format error',
  ),
  row(
    'WrongArchitecture',
    'any',
    /ENOEXEC|OSError: \[Errno 8\] Exec format error(?:: '(?<command>[^']{1,200})')?/,
    "OSError: [Errno 8] Exec format error: './server'",
  ),
  row(
    'WrongArchitecture',
    'any',
    /wrong ELF class|invalid ELF header|cannot open shared object file: .{0,40}wrong|exec user process caused.{0,20}exec format error/,
    'Error: /app/node_modules/argon2/argon2.node: invalid ELF header',
  ),
  row(
    'PermissionDenied',
    'shell',
    /(?:^|: )(?:\d{1,5}: |line \d{1,5}: )?(?:exec: )?(?<command>[\w./+-]{1,200}): (?:cannot execute: )?(?:Permission denied|is a directory|Is a directory)(?:$|:)/,
    'sh: 1: /app/server: Permission denied',
  ),
  row(
    'PermissionDenied',
    'any',
    /exec:? "?(?<command>[^"\s:]{1,200})"?:? (?:permission denied|is a directory)/i,
    'exec /app/start.sh: permission denied',
  ),
  row(
    'PermissionDenied',
    'node',
    /spawn (?<command>[\w./+-]{1,200}) EACCES/,
    'Error: spawn ./bin/convert EACCES',
  ),
  row(
    'PermissionDenied',
    'node',
    /EACCES: permission denied,? (?:\w{1,20} )?'?(?<file>[^'\s]{1,300})'?/,
    "Error: EACCES: permission denied, mkdir '/var/cache/shop'",
  ),
  row(
    'PermissionDenied',
    'node',
    /EPERM: operation not permitted, \w{1,20} '(?<file>[^']{1,300})'/,
    "Error: EPERM: operation not permitted, chown '/data'",
  ),
  row(
    'PermissionDenied',
    'python',
    /PermissionError: \[Errno (?:13|1)\] (?:Permission denied|Operation not permitted)(?:: '(?<file>[^']{1,300})')?/,
    "PermissionError: [Errno 13] Permission denied: '/var/log/app.log'",
  ),
  row(
    'PermissionDenied',
    'go',
    /(?:open|mkdir|listen|chown|unlink|create|remove|stat) (?:(?:tcp|udp)[46]? )?(?<file>[^\s]{1,300}): (?:bind: )?(?:permission denied|operation not permitted)/,
    'listen tcp 0.0.0.0:80: bind: permission denied',
  ),
  row(
    'PermissionDenied',
    'java',
    /(?:AccessDeniedException: (?<file>[^\s]{1,300})|FileNotFoundException: (?<file2>[^\s]{1,300}) \(Permission denied\))/,
    'java.nio.file.AccessDeniedException: /data/index/write.lock',
  ),
  row(
    'PermissionDenied',
    'nginx',
    /\[emerg\].{0,200}\(13: Permission denied\)/,
    'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
  ),
  row(
    'PermissionDenied',
    'shell',
    /(?:mkdir|touch|cp|mv|rm|chown|chmod|cat|ls|tee|ln|sh|bash)(?:: \d{1,5})?: (?:cannot [\w ]{1,30} )?(?:to )?['‘]?(?<file>[^\s'’:]{1,300})['’]?(?:: | ).{0,30}(?:Permission denied|Operation not permitted)/,
    "mkdir: cannot create directory '/data/wal': Permission denied",
  ),
  row(
    'PermissionDenied',
    'shell',
    /cannot (?:create|open|access|stat) ['‘]?(?<file>\/[^\s'’:]{1,300})['’]?: (?:Permission denied|Operation not permitted)/,
    'sh: 1: cannot create /etc/shop-state: Permission denied',
  ),
  row(
    'PermissionDenied',
    'rust',
    /Os \{ code: 13, kind: PermissionDenied/,
    'Error: Os { code: 13, kind: PermissionDenied, message: "Permission denied" }',
  ),
  row(
    'HeapExhausted',
    'node',
    /(?:FATAL ERROR: .{0,80})?\b(?:JavaScript|JS) heap out of memory/,
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ),
  row(
    'HeapExhausted',
    'java',
    /java\.lang\.OutOfMemoryError: (?<detail>.{1,80})/,
    'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
  ),
  row(
    'HeapExhausted',
    'go',
    /fatal error: runtime: (?:out of memory|cannot allocate memory)/,
    'fatal error: runtime: out of memory',
  ),
  row('HeapExhausted', 'python', /^MemoryError\b/, 'MemoryError'),
  row(
    'HeapExhausted',
    '.net',
    /System\.OutOfMemoryException/,
    "Unhandled exception. System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown.",
  ),
  row(
    'AppError',
    'node',
    /^(?:Uncaught )?(?<detail>(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[[\w_]{1,60}\])?: .{1,300})/,
    "TypeError: Cannot read properties of undefined (reading 'price')",
  ),
  row(
    'AppError',
    'python',
    /^(?<detail>(?:[\w]{1,60}\.){0,6}[A-Z]\w{0,60}(?:Error|Exception|Exit|Warning)(?:: .{1,300})?)$/,
    "ValueError: invalid literal for int() with base 10: 'x'",
  ),
  row(
    'AppError',
    'go',
    /^(?<detail>(?:panic|fatal error): .{1,300})/,
    'panic: runtime error: index out of range [3] with length 3',
  ),
  row(
    'AppError',
    'java',
    /^(?:Exception in thread "[^"]{1,60}" |Caused by: )(?<detail>.{1,300})/,
    'Exception in thread "main" java.lang.IllegalStateException: no plan',
  ),
  row(
    'AppError',
    '.net',
    /^Unhandled exception\. (?<detail>.{1,300})/,
    'Unhandled exception. System.NullReferenceException: Object reference not set to an instance of an object.',
  ),
  row(
    'AppError',
    'ruby',
    /^\S{1,200}:\d{1,7}:in .{1,200}: (?<detail>.{1,200} \([A-Z][\w:]{1,80}\))$/,
    "app.rb:7:in 'total': undefined method 'sum' for nil (NoMethodError)",
  ),
  row(
    'AppError',
    'rust',
    /^thread '[^']{1,60}' (?:\(\d{1,9}\) )?panicked at (?<detail>.{1,300})/,
    "thread 'main' panicked at src/main.rs:4:5:",
  ),
  row(
    'AppError',
    'php',
    /^PHP (?<detail>Fatal error: {1,2}.{1,300})/,
    'PHP Fatal error:  Uncaught Error: Call to undefined function pay()',
  ),
  row(
    'AppError',
    'any',
    /(?:^|[\s[|"':=])(?<detail>(?:FATAL|CRITICAL|PANIC|EMERG)\b[\]|:" ]{0,4}.{1,300})/,
    '2026-03-01T10:00:00Z FATAL ledger does not balance',
  ),
];

/** In no order: which of several counts is decided by LOG_CAUSES. */
export const LOG_PATTERNS: readonly LogPattern[] = [
  ...MISSING_CONFIG,
  ...BAD_CONFIG,
  ...DEPENDENCY,
  ...OTHERS,
];
