import { useEffect, useState } from 'preact/hooks';

let skewMs = 0;

/** Takes the server's time as the true one, so that ages are right on a machine whose clock is not. */
export function setServerTime(now: number): void {
  skewMs = now - Date.now();
}

export const serverNow = (): number => Date.now() + skewMs;

/** The time, anew every 5 s. */
export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 5000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, serverNow() - 5000);
}
