/** A real-looking end of a log, the cause it shows, and a word the verdict's summary must have. */
export interface LogCase {
  readonly cause: string;
  readonly what: string;
  readonly names?: string;
  readonly exitCode?: number;
  readonly log: string;
}

const node = (error: string, more = '') => `
/app/server.js:12
    throw error;
    ^

${error}
    at start (/app/server.js:12:11)
    at Object.<anonymous> (/app/server.js:40:1)
    at node:internal/main/run_main_module:36:49${more}

Node.js v22.11.0`;

const python = (error: string) => `
Traceback (most recent call last):
  File "/app/main.py", line 31, in <module>
    main()
  File "/app/main.py", line 12, in main
    run(os.environ)
${error}`;

const go = (text: string) => `
panic: ${text}

goroutine 1 [running]:
main.main()
	/src/main.go:22 +0x1b4
exit status 2`;

const java = (text: string) => `
Exception in thread "main" ${text}
	at com.shop.Main.start(Main.java:31)
	at com.shop.Main.main(Main.java:12)`;

// biome-ignore format: a table, a case a line; broken up each takes six lines, and none can be compared with the next
export const LOG_CORPUS: readonly LogCase[] = [
  { cause: 'MissingConfig', what: 'Node, thrown', names: 'PAYMENT_URL', log: node('Error: missing required environment variable PAYMENT_URL') },
  { cause: 'MissingConfig', what: 'Node, zod', names: 'STRIPE_ACCOUNT', log: 'Invalid environment variables:\n  STRIPE_ACCOUNT: Required' },
  { cause: 'MissingConfig', what: 'Node, envalid', names: 'SMTP_HOST', log: '================================\n Missing environment variables:\n    SMTP_HOST: undefined (mail relay)\n================================' },
  { cause: 'MissingConfig', what: 'Node, file', names: '/etc/cart/config.json', log: node("Error: ENOENT: no such file or directory, open '/etc/cart/config.json'") },
  { cause: 'MissingConfig', what: 'Node, JSON log', names: 'REDIS_URL', log: '{"level":30,"msg":"starting"}\n{"level":60,"msg":"REDIS_URL is required"}' },
  { cause: 'MissingConfig', what: 'Python, KeyError', names: 'DATABASE_DSN', log: python("KeyError: 'DATABASE_DSN'") },
  { cause: 'MissingConfig', what: 'Python, pydantic', names: 'database_url', log: python('pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndatabase_url\n  Field required [type=missing, input_value={}, input_type=dict]').replace('database_url\n  Field', 'database_url Field') },
  { cause: 'MissingConfig', what: 'Python, Django', names: 'SECRET_KEY', log: python('django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.') },
  { cause: 'MissingConfig', what: 'Python, file', names: '/etc/app/settings.yaml', log: python("FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/settings.yaml'") },
  { cause: 'MissingConfig', what: 'Python, script', names: '/app/worker.py', exitCode: 2, log: "python: can't open file '/app/worker.py': [Errno 2] No such file or directory" },
  { cause: 'MissingConfig', what: 'Go, envconfig', names: 'CART_DSN', log: '2026/03/01 10:00:00 required key CART_DSN missing value' },
  { cause: 'MissingConfig', what: 'Go, file', names: '/etc/ledger/ledger.toml', exitCode: 2, log: go('open /etc/ledger/ledger.toml: no such file or directory') },
  { cause: 'MissingConfig', what: 'Go, log.Fatal', names: 'LISTEN_ADDR', log: '2026/03/01 10:00:00 LISTEN_ADDR must be set' },
  { cause: 'MissingConfig', what: 'Java, Spring', names: 'payment.url', log: `
2026-03-01 10:00:00.112 ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed
org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'pay': Injection of autowired dependencies failed
	at org.springframework.beans.factory.annotation.Autowired.post(Autowired.java:515)
Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'payment.url' in value "\${payment.url}"
	... 18 common frames omitted` },
  { cause: 'MissingConfig', what: 'Java, file', names: '/config/application.yml', log: java('java.io.FileNotFoundException: /config/application.yml (No such file or directory)') },
  { cause: 'MissingConfig', what: 'Ruby', names: 'REDIS_URL', log: `config/app.rb:3:in 'ENV.fetch': key not found: "REDIS_URL" (KeyError)\n\tfrom config/app.rb:3:in '<main>'` },
  { cause: 'MissingConfig', what: 'shell, set -u', names: 'API_BASE', log: '/entrypoint.sh: line 4: API_BASE: unbound variable' },
  { cause: 'MissingConfig', what: 'shell, required by the shell itself', names: 'QUEUE_NAME', exitCode: 2, log: './run.sh: 3: QUEUE_NAME: parameter not set or null' },
  { cause: 'MissingConfig', what: 'shell, file', names: '/run/config/region', log: 'cat: /run/config/region: No such file or directory' },
  { cause: 'MissingConfig', what: '.NET', names: 'OrdersDb', exitCode: 134, log: "Unhandled exception. System.InvalidOperationException: Connection string 'OrdersDb' not found.\n   at Program.<Main>$(String[] args) in /src/Program.cs:line 9" },
  { cause: 'MissingConfig', what: 'Rust', names: 'DATABASE_URL', exitCode: 101, log: "thread 'main' panicked at src/main.rs:9:10:\ncalled `Result::unwrap()` on an `Err` value: environment variable not found: DATABASE_URL\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace" },
  { cause: 'MissingConfig', what: 'postgres', log: 'Error: Database is uninitialized and superuser password is not specified.\n       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.' },
  { cause: 'MissingConfig', what: 'nginx, certificate', names: '/etc/tls/tls.crt', log: 'nginx: [emerg] cannot load certificate "/etc/tls/tls.crt": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)' },
  { cause: 'AppError', what: 'Node, JSON', log: node('SyntaxError: Unexpected token \'}\', "{"port":}" is not valid JSON') },
  { cause: 'AppError', what: 'Node, URL', log: node("TypeError: Invalid URL", "\n  code: 'ERR_INVALID_URL',\n  input: 'payments'") },
  { cause: 'AppError', what: 'Node, flag', exitCode: 9, names: '--max-old-space', log: 'node: bad option: --max-old-space' },
  { cause: 'AppError', what: 'Python, YAML', log: python('yaml.scanner.ScannerError: mapping values are not allowed here\n  in "/etc/app.yaml", line 3, column 9') },
  { cause: 'AppError', what: 'Python, argparse', exitCode: 2, names: 'concurency', log: 'usage: worker.py [-h] [--concurrency N]\nworker.py: error: unrecognized arguments: --concurency 4' },
  { cause: 'AppError', what: 'Go, flag', exitCode: 2, names: '-listen-adress', log: 'flag provided but not defined: -listen-adress\nUsage of /ledger:\n  -listen-address string' },
  { cause: 'AppError', what: 'Go, YAML', log: 'level=error msg="cannot start" err="error parsing config: yaml: line 7: did not find expected key"' },
  { cause: 'AppError', what: 'Prometheus', log: 'ts=2026-03-01T10:00:00Z caller=main.go:450 level=error msg="Error loading config (--config.file=/etc/p.yml)" file=/etc/p.yml err="parsing YAML file /etc/p.yml: yaml: unmarshal errors:"' },
  { cause: 'AppError', what: 'nginx', names: '/etc/nginx/nginx.conf', log: 'nginx: [emerg] unknown directive "servername" in /etc/nginx/nginx.conf:12' },
  { cause: 'AppError', what: 'number', names: 'WORKER_COUNT', log: 'Error: invalid value "abc" for WORKER_COUNT: expected a number' },
  { cause: 'AppError', what: 'Rust, TOML', log: 'Error: TOML parse error at line 3, column 9\n  |\n3 | port = "x\n  |         ^' },
  { cause: 'DependencyRefused', what: 'Node, refused', names: '10.88.0.7:5432', log: node('Error: connect ECONNREFUSED 10.88.0.7:5432') },
  { cause: 'DnsFailure', what: 'Node, name', names: 'redis.shop.svc', log: node('Error: getaddrinfo ENOTFOUND redis.shop.svc') },
  { cause: 'DependencyRefused', what: 'Node, aggregate', names: '127.0.0.1:6379', log: node('AggregateError: ', "\n  [errors]: [\n    Error: connect ECONNREFUSED ::1:6379\n    Error: connect ECONNREFUSED 127.0.0.1:6379") },
  { cause: 'DependencyRefused', what: 'Python, psycopg', names: 'db:5432', log: python('psycopg2.OperationalError: connection to server at "db" (10.1.1.4), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?') },
  { cause: 'DependencyRefused', what: 'Python, requests, chained', names: 'payments:8080', log: `
Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/urllib3/connection.py", line 203, in _new_conn
ConnectionRefusedError: [Errno 111] Connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/main.py", line 12, in main
requests.exceptions.ConnectionError: HTTPConnectionPool(host='payments', port=8080): Max retries exceeded with url: /health` },
  { cause: 'DependencyRefused', what: 'Python, redis', names: 'redis:6379', log: python('redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.') },
  { cause: 'DependencyRefused', what: 'Go, refused', names: '10.88.0.12:5432', exitCode: 2, log: go('dial tcp 10.88.0.12:5432: connect: connection refused') },
  { cause: 'DnsFailure', what: 'Go, name', names: 'orders-db', log: '2026/03/01 10:00:00 cannot migrate: dial tcp: lookup orders-db on 10.96.0.10:53: no such host' },
  { cause: 'DependencyRefused', what: 'Java, JDBC', names: 'db:5432', log: java('org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct.') },
  { cause: 'DnsFailure', what: 'Java, name', names: 'kafka.shop.svc', log: `${java('org.apache.kafka.common.KafkaException: Failed to construct kafka consumer')}\nCaused by: java.net.UnknownHostException: kafka.shop.svc: Name or service not known` },
  { cause: 'DependencyRefused', what: 'Ruby', names: 'search:9200', log: `lib/index.rb:4:in 'connect': Failed to open TCP connection to search:9200 (Connection refused - connect(2) for "search" port 9200) (Errno::ECONNREFUSED)` },
  { cause: 'DependencyTimeout', what: 'shell, wait-for-it', names: 'db:5432', exitCode: 124, log: 'wait-for-it.sh: waiting 15 seconds for db:5432\nwait-for-it.sh: timeout occurred: timed out after 15 seconds waiting for db:5432' },
  { cause: 'DependencyRefused', what: 'curl', names: 'vault:8200', exitCode: 7, log: 'curl: (7) Failed to connect to vault port 8200 after 2 ms: Connection refused' },
  { cause: 'DnsFailure', what: 'nginx upstream', names: 'cart:8080', log: 'nginx: [emerg] host not found in upstream "cart:8080" in /etc/nginx/conf.d/default.conf:4' },
  { cause: 'PortInUse', what: 'Node', names: '8080', log: node('Error: listen EADDRINUSE: address already in use :::8080') },
  { cause: 'PortInUse', what: 'Go', names: '9090', log: '2026/03/01 10:00:00 listen tcp :9090: bind: address already in use' },
  { cause: 'PortInUse', what: 'Python', log: python('OSError: [Errno 98] Address already in use') },
  { cause: 'PortInUse', what: 'Java, Spring', names: '8080', log: '***************************\nAPPLICATION FAILED TO START\n***************************\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.' },
  { cause: 'PortInUse', what: 'nginx', names: '80', log: 'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)' },
  { cause: 'PermissionDenied', what: 'Node', names: '/var/cache/shop', log: node("Error: EACCES: permission denied, mkdir '/var/cache/shop'") },
  { cause: 'PermissionDenied', what: 'Python', names: '/var/log/app.log', log: python("PermissionError: [Errno 13] Permission denied: '/var/log/app.log'") },
  { cause: 'PermissionDenied', what: 'Go, privileged port', names: '80', log: '2026/03/01 10:00:00 listen tcp 0.0.0.0:80: bind: permission denied' },
  { cause: 'PermissionDenied', what: 'Java', names: '/data/index/write.lock', log: java('java.nio.file.AccessDeniedException: /data/index/write.lock') },
  { cause: 'PermissionDenied', what: 'shell', names: '/data/wal', log: "mkdir: cannot create directory '/data/wal': Permission denied" },
  { cause: 'DiskFull', what: 'Node', names: '/data/queue.log', log: node("Error: ENOSPC: no space left on device, write '/data/queue.log'") },
  { cause: 'DiskFull', what: 'Python', log: python('OSError: [Errno 28] No space left on device') },
  { cause: 'DiskFull', what: 'postgres', log: 'PANIC:  could not write to file "pg_wal/xlogtemp.31": No space left on device\nLOG:  startup process (PID 31) was terminated by signal 6: Aborted' },
  { cause: 'CommandNotFound', what: 'shell', names: 'gunicorn', exitCode: 127, log: '/entrypoint.sh: line 7: gunicorn: command not found' },
  { cause: 'CommandNotFound', what: 'dash', names: 'shop-server', exitCode: 127, log: 'sh: 1: shop-server: not found' },
  { cause: 'CommandNotFound', what: 'Node, spawn', names: 'ffmpeg', log: node('Error: spawn ffmpeg ENOENT') },
  { cause: 'PermissionDenied', what: 'mode', names: '/app/server', exitCode: 126, log: 'sh: 1: /app/server: Permission denied' },
  { cause: 'WrongArchitecture', what: 'architecture', names: '/app/server', exitCode: 126, log: '/entrypoint.sh: line 3: /app/server: cannot execute binary file: Exec format error' },
  { cause: 'HeapExhausted', what: 'Node', exitCode: 134, log: '<--- Last few GCs --->\n[1:0x5] 22311 ms: Mark-Compact 254.1 (258.1) -> 253.9 (258.3) MB\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----' },
  { cause: 'HeapExhausted', what: 'Java', log: java('java.lang.OutOfMemoryError: Java heap space') },
  { cause: 'AppError', what: 'Node', names: 'price', log: node("TypeError: Cannot read properties of undefined (reading 'price')") },
  { cause: 'AppError', what: 'Node, module', names: 'fastify', log: node("Error: Cannot find module 'fastify'", "\n  code: 'MODULE_NOT_FOUND'") },
  { cause: 'AppError', what: 'Python', names: 'ValueError', log: python("ValueError: invalid literal for int() with base 10: 'x'") },
  { cause: 'AppError', what: 'Go', names: 'index out of range', exitCode: 2, log: go('runtime error: index out of range [3] with length 3') },
  { cause: 'AppError', what: 'Java', names: 'no plan', log: java('java.lang.IllegalStateException: no plan') },
  { cause: 'AppError', what: 'Ruby', names: 'undefined method', log: "app.rb:7:in 'total': undefined method 'sum' for nil (NoMethodError)\n\tfrom app.rb:2:in '<main>'" },
  { cause: 'AppError', what: '.NET', exitCode: 134, names: 'NullReference', log: 'Unhandled exception. System.NullReferenceException: Object reference not set to an instance of an object.\n   at Cart.Total() in /src/Cart.cs:line 4' },
  { cause: 'MissingConfig', what: 'Java, a variable in words nobody lists', names: 'BILLING_URL', log: java('java.lang.NullPointerException: BILLING_URL must not be null') },
  { cause: 'MissingConfig', what: 'Perl, file', names: '/etc/shop/app.conf', exitCode: 2, log: "Can't open /etc/shop/app.conf: No such file or directory at app.pl line 4." },
  { cause: 'MissingConfig', what: 'a tool nobody lists', names: '/etc/template/app.tmpl', exitCode: 2, log: "sed: can't read /etc/template/app.tmpl: No such file or directory" },
  { cause: 'MissingConfig', what: 'a setting in small letters', names: 'database.host', exitCode: 78, log: "Error: config value 'database.host' is required" },
  { cause: 'MissingConfig', what: 'Python, argparse', names: '--database-url', exitCode: 2, log: 'usage: worker.py [-h] --database-url URL\nworker.py: error: the following arguments are required: --database-url' },
  { cause: 'CommandNotFound', what: 'Perl', names: 'shopd', exitCode: 2, log: `Can't exec "shopd": No such file or directory at run.pl line 4.` },
  { cause: 'CommandNotFound', what: 'interpreter', names: 'ruby3', exitCode: 126, log: 'bash: line 1: /app/run.sh: /usr/bin/ruby3: bad interpreter: No such file or directory' },
  { cause: 'PermissionDenied', what: 'Perl', names: '/etc/shadow', exitCode: 13, log: 'Cannot read /etc/shadow: Permission denied at app.pl line 2.' },
  { cause: 'DnsFailure', what: 'Perl', names: 'db.invalid', exitCode: 22, log: "cannot connect: IO::Socket::INET: Bad hostname 'db.invalid'" },
  { cause: 'DependencyTimeout', what: 'Python', log: python('TimeoutError: timed out') },
  { cause: 'HeapExhausted', what: 'Perl', log: 'Out of memory!' },
  { cause: 'HeapExhausted', what: 'C++', exitCode: 134, log: "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc" },
  { cause: 'ClockSkew', what: 'Kerberos', log: 'KDC reply: Clock skew too great while getting initial credentials' },
  { cause: 'ClockSkew', what: 'a signed request', log: python('botocore.exceptions.ClientError: An error occurred (RequestTimeTooSkewed): The difference between the request time and the current time is too large.') },
  { cause: 'ClockSkew', what: 'a certificate of tomorrow', log: node('Error: certificate is not yet valid') },
  { cause: 'AppError', what: 'plain words', names: 'bailing', log: 'Something went terribly wrong, bailing out' },
  { cause: 'AppError', what: 'fatal level', names: 'balance', log: '2026-03-01T10:00:00Z INFO ledger opened\n2026-03-01T10:00:01Z FATAL ledger does not balance' },
];

/** Logs that mention one thing and died of another, or of nothing they say. */
// biome-ignore format: a table, a case a line; broken up each takes six lines, and none can be compared with the next
export const CONFUSABLE: readonly LogCase[] = [
  { cause: 'AppError', what: 'names an error like a variable', names: 'CERTIFICATE_VERIFY_FAILED', log: node('Error: CERTIFICATE_VERIFY_FAILED is not a plan we know') },
  { cause: 'AppError', what: 'a path in a sentence that misses nothing', names: 'balance', log: 'FATAL ledger /data/ledger.db does not balance' },
  { cause: 'AppError', what: 'mentions a password', names: 'price', log: `WARN password for user shop is weak\n${node("TypeError: Cannot read properties of undefined (reading 'price')").trim()}` },
  { cause: 'AppError', what: 'warned of memory before', log: `WARN worker nearly out of memory, collecting\n${python('ValueError: bad order 7').trim()}` },
  { cause: 'Unknown', what: 'says out of memory only as information', log: 'INFO checkpoint of out of memory handler installed\nINFO bye' },
  { cause: 'AppError', what: 'retried a dependency that came back', log: `ERROR connect ECONNREFUSED 10.0.0.3:5432, retrying in 1 s\nINFO connected to 10.0.0.3:5432\n${node('RangeError: Invalid array length').trim()}` },
  { cause: 'Unknown', what: 'retries only', log: 'connect ECONNREFUSED 10.0.0.3:5432, retrying in 1 s\nconnected, attempt 2 of 5 succeeded' },
  { cause: 'AppError', what: 'a default was used for a missing setting', log: `WARN CACHE_URL is not set, using default\n${go('assignment to entry in nil map').trim()}` },
  { cause: 'Unknown', what: 'a default was used, then silence', log: 'CACHE_URL is not set, falling back to memory\nserving on 8080' },
  { cause: 'Unknown', what: 'error long ago', log: `${node("Error: connect ECONNREFUSED 10.0.0.3:5432").trim()}\n${Array.from({ length: 40 }, (_, index) => `served request ${index}`).join('\n')}` },
  { cause: 'DependencyRefused', what: 'names a variable, but the connection failed', names: '10.1.1.9:5432', log: node('Error: connect ECONNREFUSED 10.1.1.9:5432', '\n  hint: DATABASE_URL points there') },
  { cause: 'Unknown', what: 'a served 404', log: 'GET /favicon.ico 404 not found\nGET /config.json 404 not found' },
  { cause: 'AppError', what: 'a port number in passing', log: `listening on port 8080\n${node('Error: order 8080 is already booked').trim()}` },
  { cause: 'Unknown', what: 'a client was denied', log: 'INFO permission denied for user guest\nINFO shutting down' },
];
