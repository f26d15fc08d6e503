/** A secret that is known by its looks. `keep` is how many groups at the front stay readable. */
interface SecretShape {
  readonly name: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

export const REDACTED = '[redacted]';

const shape = (name: string, pattern: RegExp, replacement = REDACTED): SecretShape => ({
  name,
  pattern,
  replacement,
});

// Each pattern begins with literal text at a word's edge and has no repetition within a repetition, so that the time
// is linear in the line. Sources: the issuers' own documentation of their token formats.
export const SECRET_SHAPES: readonly SecretShape[] = [
  shape('json web token', /(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]{2,4096}(?:\.[\w-]{0,4096})?/g),
  shape('AWS access key', /(?<!\w)(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}(?!\w)/g),
  shape('Google API key', /(?<![\w-])AIza[\w-]{35}/g),
  shape('Google OAuth token', /(?<![\w-])ya29\.[\w-]{16,2048}/g),
  shape('Google OAuth client secret', /(?<![\w-])GOCSPX-[\w-]{20,64}/g),
  shape('GitHub token', /(?<!\w)(?:gh[pousr]_\w{30,255}|github_pat_\w{22,255})/g),
  shape('GitLab token', /(?<![\w-])gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w-]{20,128}/g),
  shape('Slack token', /(?<![\w-])xox[a-z]-[\w-]{10,255}/g),
  shape('Slack webhook', /(hooks\.slack\.com\/(?:services|workflows)\/)[\w/]{10,128}/g, `$1${REDACTED}`),
  shape(
    'Discord webhook',
    /(discord(?:app)?\.com\/api\/webhooks\/\d{1,32}\/)[\w-]{20,128}/g,
    `$1${REDACTED}`,
  ),
  shape('Stripe key', /(?<!\w)(?:sk|rk|whsec)_(?:live_|test_)?\w{16,255}/g),
  shape('OpenAI or Anthropic key', /(?<![\w-])sk-[\w-]{20,255}/g),
  shape('npm token', /(?<!\w)npm_\w{36}/g),
  shape('PyPI token', /(?<![\w-])pypi-[\w-]{50,512}/g),
  shape('SendGrid key', /(?<![\w-])SG\.[\w-]{16,64}\.[\w-]{16,64}/g),
  shape('DigitalOcean token', /(?<!\w)do[opr]_v1_[a-f0-9]{64}/g),
  shape('Vault token', /(?<![\w-])hv[sbr]\.[\w-]{20,512}/g),
  shape('Hugging Face token', /(?<!\w)hf_[A-Za-z0-9]{30,64}/g),
  shape('Shopify token', /(?<!\w)shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/g),
  shape('Twilio key', /(?<!\w)SK[0-9a-f]{32}(?!\w)/g),
  shape('Telegram bot token', /(?<!\w)\d{8,10}:AA[\w-]{33}/g),
  shape('age secret key', /(?<!\w)AGE-SECRET-KEY-1[0-9A-Z]{58}/g),
  shape(
    'private key on one line',
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY( BLOCK)?-----[^-]{1,8192}(?:-----END [A-Z ]{0,40}PRIVATE KEY( BLOCK)?-----)?/g,
  ),
  shape(
    'authorization scheme',
    /(?<!\w)(bearer|basic|negotiate|digest|apikey|aws4-hmac-sha256)( {1,4})(?=[\w.~+/=-]{0,4096}[\d=._~+/-])[\w.~+/=-]{8,4096}/gi,
    `$1$2${REDACTED}`,
  ),
  // Source: docker config.json; kubernetes.io/dockerconfigjson
  shape(
    'credentials of a registry',
    /(\\?"auth\\?" {0,4}: {0,4}\\?")[A-Za-z0-9+/]{8,4096}={0,2}(?=\\?")/g,
    `$1${REDACTED}`,
  ),
  // user:password@ in any URL. A number before / ? # is a port. First without slashes up to the last @, else (a
  // password with a slash, not encoded as it should be) up to the first @.
  shape(
    'password in a URL',
    /([a-z][a-z0-9+.-]{1,30}:\/\/[^\s:@/"'<>]{0,256}:)(?!\d{1,5}[/?#\s])(?:[^\s"'<>/?#,]{1,512}@|[^\s"'<>,@]{1,512}@)/gi,
    `$1${REDACTED}@`,
  ),
  shape(
    'password in a data source name',
    /(?<![\w.-])([\w.-]{1,64}:)[^\s@/:"']{1,256}@((?:tcp|udp|unix)\()/g,
    `$1${REDACTED}@$2`,
  ),
];
