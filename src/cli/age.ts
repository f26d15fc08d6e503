/** A span as kubectl prints it: `45s`, `3m12s`, `2h5m`, `3d4h`, `45d`. Source: k8s.io/apimachinery duration.HumanDuration */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return minutesAnd(seconds % 60, `${minutes}m`, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutesAnd(minutes % 60, `${hours}h`, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return minutesAnd(hours % 24, `${days}d`, 'h');
  return `${days}d`;
}

function minutesAnd(rest: number, whole: string, unit: string): string {
  return rest === 0 ? whole : `${whole}${rest}${unit}`;
}
