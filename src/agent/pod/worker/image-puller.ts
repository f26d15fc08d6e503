import type { Container } from '../../../model/kubernetes.ts';
import { isCodedError, messageOf } from '../../../util/coded-error.ts';
import { imageNameProblem } from '../image/image-reference.ts';
import { pullLogins } from '../image/pull-secrets.ts';
import type { ContainerRecord, PodRecord } from '../pod-record.ts';
import { HOST_IMAGE, imageOf } from '../spec/container-config.ts';
import { KUBELET_BACK_OFF, nextBackOff } from './restart-back-off.ts';
import type { WorkerContext } from './worker-context.ts';

/** Sees to it that a container's image is here before the container is made. */
export interface ImagePuller {
  /** Whether the container can be made; false: why not is on the record. */
  ensure(container: ContainerRecord, spec: Container, attempt: number, signal: AbortSignal): Promise<boolean>;
  /** Shows that the next try waits. */
  showBackOff(container: ContainerRecord): void;
}

/** How soon what is wrong without a pull is looked at again: the kubelet's next sync. */
const RETRY_MS = 10_000;

/**
 * By the image's pull policy, with a back-off for each image that has nothing to do with the one of restarts.
 * Source: kubernetes/pkg/kubelet/images/image_manager.go, EnsureImageExists
 */
export function createImagePuller(pod: PodRecord, context: WorkerContext): ImagePuller {
  const { clock, runtime } = context;

  async function ensure(container: ContainerRecord, spec: Container, attempt: number, signal: AbortSignal) {
    const image = imageOf(spec);
    const about = () => ({
      at: clock.now(),
      pod: pod.ref,
      container: container.name,
      init: container.init,
      attempt,
      image,
    });
    const have = (id: string, present: boolean) => {
      container.image = { id };
      delete pod.pullFailures?.[image];
      pod.startup.pulledAt ??= clock.now();
      context.emit({ ...about(), kind: 'image-pulled', present });
      return !signal.aborted;
    };
    const refuse = (reason: string, message: string) => {
      container.waiting = { reason, message };
      container.retryAt = clock.now() + RETRY_MS;
      context.emit({ ...about(), kind: 'image-failed', reason, message });
      return false;
    };

    const problem = image === HOST_IMAGE ? undefined : imageNameProblem(image);
    if (problem !== undefined)
      return refuse('InvalidImageName', `couldn't parse image name ${JSON.stringify(image)}: ${problem}`);
    const policy = image === HOST_IMAGE ? 'IfNotPresent' : spec.imagePullPolicy;
    if (policy !== 'Always') {
      try {
        const id = await runtime.imageId(image);
        if (signal.aborted) return false;
        if (id !== undefined) return have(id, true);
      } catch (error) {
        return refuse(
          'ImageInspectError',
          `Failed to inspect image ${JSON.stringify(image)}: ${messageOf(error)}`,
        );
      }
      if (policy === 'Never') {
        const message = `Container image ${JSON.stringify(image)} is not present with pull policy of Never`;
        return refuse('ErrImageNeverPull', message);
      }
    }
    context.emit({ ...about(), kind: 'image-pulling' });
    try {
      const secrets = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name);
      const logins = pullLogins(image, secrets, context.references(pod.ref.namespace));
      return have(await runtime.pullImage(image, { signal, logins }), false);
    } catch (error) {
      if (signal.aborted) return false;
      const [reason, message] = [isCodedError(error) ? error.code : 'ErrImagePull', messageOf(error)];
      const now = clock.now();
      pod.pullFailures ??= {};
      const backOff = nextBackOff(KUBELET_BACK_OFF, pod.pullFailures[image]?.backOff, now, now);
      pod.pullFailures[image] = { backOff, reason, message };
      container.image = {};
      container.waiting = { reason, message };
      context.emit({ ...about(), kind: 'image-failed', reason, message });
      return false;
    }
  }

  return {
    ensure,
    showBackOff(container) {
      const { image } = container.config;
      const { reason, message } = pod.pullFailures![image]!;
      container.waiting = {
        reason: 'ImagePullBackOff',
        message: `Back-off pulling image ${JSON.stringify(image)}: ${reason}: ${message}`,
      };
    },
  };
}
