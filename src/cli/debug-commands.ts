import type { PodSource } from '../model/source-command.ts';
import { shellQuote } from '../util/shell-quote.ts';

interface Subject {
  readonly namespace: string;
  readonly name: string;
  readonly container: string | undefined;
}

/** How the same is done where others run the pod: a line of what for, a line to type. */
export function debugCommands(source: PodSource, { namespace, name, container }: Subject): readonly string[] {
  const [ns, pod] = [shellQuote(namespace), shellQuote(name)];
  const one = container === undefined ? undefined : shellQuote(container);
  const copy = shellQuote(`${name}-debug`);
  if (source === 'podman' || source === 'docker') {
    const named = one ?? pod;
    return [
      'a shell where it runs:',
      `  ${source} exec -it ${named} sh`,
      'a copy that sleeps instead of crashing:',
      `  ${source} run --rm -it --entrypoint sh "$(${source} inspect --format '{{.Config.Image}}' ${named})"`,
      'a tool container in its network:',
      `  ${source} run --rm -it --network container:${named} IMAGE sh`,
    ];
  }
  if (source === 'cri')
    return [
      'a shell where it runs:',
      `  crictl exec -it "$(crictl ps --quiet --latest --label io.kubernetes.pod.name=${pod})" sh`,
      'its network from the node:',
      `  nsenter --net="$(crictl inspectp --output go-template --template '{{range .info.runtimeSpec.linux.namespaces}}{{if eq .type "network"}}{{.path}}{{end}}{{end}}' "$(crictl pods --quiet --name ${pod})")" sh`,
    ];
  return [
    'a copy that sleeps instead of crashing:',
    `  kubectl debug --namespace ${ns} ${pod} -it --copy-to=${copy} ${one === undefined ? '' : `--container=${one} `}-- sh`,
    `  kubectl delete pod --namespace ${ns} ${copy}`,
    'a tool container in its network:',
    `  kubectl debug --namespace ${ns} ${pod} -it --image=IMAGE${one === undefined ? '' : ` --target=${one}`}`,
    'its node:',
    `  kubectl debug -it "node/$(kubectl get pod --namespace ${ns} ${pod} -o jsonpath='{.spec.nodeName}')" --image=IMAGE`,
  ];
}
