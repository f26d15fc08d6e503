const UNTRUSTED =
  /unable to (?:verify|get)[^:]*certificate|self[- ]signed certificate|UNABLE_TO_VERIFY|CERT_UNTRUSTED|unknown ca/i;
const WRONG_NAME = /does not match certificate|ERR_TLS_CERT_ALTNAME_INVALID/i;
const EXPIRED = /certificate (?:has expired|is not yet valid)|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/i;
const ASKED = /certificate required|alert number 116|bad certificate|alert number 42/i;

/** What of a TLS failure somebody can mend, after the library's own words. */
export function withTlsRemedy(message: string): string {
  if (UNTRUSTED.test(message))
    return `${message}; the receiver's certificate is of an authority not known here: name its file in OTEL_EXPORTER_OTLP_CERTIFICATE`;
  if (WRONG_NAME.test(message))
    return `${message}; the receiver's certificate is for another name: use that name in OTEL_EXPORTER_OTLP_ENDPOINT`;
  if (EXPIRED.test(message)) return `${message}; renew the receiver's certificate, and look at both clocks`;
  if (ASKED.test(message))
    return `${message}; the receiver wants a certificate it knows: name yours in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY`;
  return message;
}
