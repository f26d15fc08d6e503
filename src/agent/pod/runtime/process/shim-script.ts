import { quote, quoteAll } from './shell.ts';

/**
 * A segment of raw output is so many reads of so many bytes (`dd` counts a short read as one), so between 2 KiB and 8 MiB;
 * besides the one being written, so many are kept when nobody consumes them: at most 40 MiB a stream.
 */
const READ_BYTES = 4096;
const SEGMENT_READS = 2048;
const SEGMENTS_KEPT = 4;
export const MOST_OUTPUT_BYTES = (SEGMENTS_KEPT + 1) * SEGMENT_READS * READ_BYTES;

export interface ShimPlan {
  readonly folder: string;
  readonly sh: string;
  readonly dd: string;
  readonly cat: string;
  readonly rm: string;
  /** Files to write `0` to: of the pod's `infra` cgroup for the shim, of the container's for the container. */
  readonly infraJoins: readonly string[];
  readonly containerJoins: readonly string[];
  /** Words before the container's parent shell: `nsenter … unshare --pid --`; empty without namespaces. */
  readonly enter: readonly string[];
  /** Words before the container's start script: `unshare --mount --cgroup --`; empty without namespaces. */
  readonly isolate: readonly string[];
}

const join = (files: readonly string[]) => files.map((file) => `echo 0 > ${quote(file)} || exit 125`);

/**
 * The process that outlives the agent beside each container: it keeps the container's output and its exit.
 *
 * Output goes through pipes, as in other runtimes (a regular file would be emptied by \`> /dev/stdout\`), which \`dd\`
 * copies into numbered segments \`<stream>.<n>\`; when nobody consumes them, the oldest are dropped, so that neither a
 * flood nor an absent agent fills the disk or blocks the container. \`<stream>.end\` marks the end.
 */
export function shimScript(plan: ShimPlan): string {
  const [dd, cat, rm] = [plan.dd, plan.cat, plan.rm].map(quote);
  const life = quoteAll([...plan.enter, plan.sh, `${plan.folder}/life.sh`]);
  return `umask 022
${join(plan.infraJoins).join('\n')}
cd ${quote(`${plan.folder}/output`)} || exit 125
pump() {
  n=0
  while :; do
    ${dd} of="$1.$n" bs=${READ_BYTES} count=${SEGMENT_READS} 2>/dev/null || { ${cat} > /dev/null; break; }
    [ -s "$1.$n" ] || break
    n=$((n + 1))
    [ $n -gt ${SEGMENTS_KEPT} ] && ${rm} -f "$1.$((n - ${SEGMENTS_KEPT} - 1))"
  done
  : > "$1.end"
}
{ ${life} 2>&1 >&4 4>&- | pump stderr 3>&- 4>&-; } 4>&1 | pump stdout 3>&-
`;
}

/**
 * The container's parent, outside its pid namespace and cgroup. Its first child becomes pid 1. After that died
 * nothing can be forked any more, so the exit is written by builtins alone. The shell's own word on a child that died
 * by a signal ("Killed") goes to the file \`signal\`: it tells exit 137 from SIGKILL.
 *
 * A waiting \`unshare --fork\` would not do: util-linux before 2.39 turns a SIGKILLed child into exit 1 (issue 2614).
 */
export function lifeScript(plan: ShimPlan): string {
  return `exec 8>&2 2>${quote(`${plan.folder}/signal`)}
( exec 2>&8 8>&-
${join(plan.containerJoins).join('\n')}
read pid rest < /proc/self/stat
echo "pid $pid" >&3
exec ${quoteAll([...plan.isolate, plan.sh, `${plan.folder}/start.sh`])} )
rc=$?
echo "$rc" > ${quote(`${plan.folder}/exit`)}
exit "$rc"
`;
}
