/**
 * The fields we act on, by type; every other field of these types is accepted and named in a warning. Types that are
 * not here lie below a field that is not honoured.
 */
const HONOURED: Readonly<Record<string, readonly string[]>> = {
  V1Pod: ['apiVersion', 'kind', 'metadata', 'spec'],
  V1Deployment: ['apiVersion', 'kind', 'metadata', 'spec'],
  V1ConfigMap: ['apiVersion', 'kind', 'metadata', 'data', 'binaryData'],
  V1Secret: ['apiVersion', 'kind', 'metadata', 'type', 'data', 'stringData'],
  V1ObjectMeta: ['name', 'namespace', 'labels', 'annotations'],
  V1DeploymentSpec: ['replicas', 'selector', 'template'],
  V1LabelSelector: ['matchLabels'],
  V1PodTemplateSpec: ['metadata', 'spec'],
  V1PodSpec: [
    'activeDeadlineSeconds',
    'containers',
    'hostNetwork',
    'hostname',
    'imagePullSecrets',
    'initContainers',
    'restartPolicy',
    'serviceAccountName',
    'terminationGracePeriodSeconds',
    'volumes',
  ],
  V1LocalObjectReference: ['name'],
  V1Container: [
    'args',
    'command',
    'env',
    'envFrom',
    'image',
    'imagePullPolicy',
    'livenessProbe',
    'name',
    'ports',
    'readinessProbe',
    'resources',
    'restartPolicy',
    'startupProbe',
    'volumeMounts',
    'workingDir',
  ],
  V1ContainerPort: ['containerPort', 'name', 'protocol'],
  V1EnvVar: ['name', 'value', 'valueFrom'],
  V1EnvVarSource: ['configMapKeyRef', 'fieldRef', 'resourceFieldRef', 'secretKeyRef'],
  V1EnvFromSource: ['configMapRef', 'prefix', 'secretRef'],
  V1ConfigMapKeySelector: ['key', 'name', 'optional'],
  V1SecretKeySelector: ['key', 'name', 'optional'],
  V1ConfigMapEnvSource: ['name', 'optional'],
  V1SecretEnvSource: ['name', 'optional'],
  V1ObjectFieldSelector: ['apiVersion', 'fieldPath'],
  V1ResourceFieldSelector: ['containerName', 'divisor', 'resource'],
  V1Probe: [
    'exec',
    'failureThreshold',
    'httpGet',
    'initialDelaySeconds',
    'periodSeconds',
    'successThreshold',
    'tcpSocket',
    'terminationGracePeriodSeconds',
    'timeoutSeconds',
  ],
  V1ExecAction: ['command'],
  V1HTTPGetAction: ['host', 'httpHeaders', 'path', 'port', 'scheme'],
  V1HTTPHeader: ['name', 'value'],
  V1TCPSocketAction: ['host', 'port'],
  V1ResourceRequirements: ['limits', 'requests'],
  V1VolumeMount: ['mountPath', 'name', 'readOnly', 'subPath'],
  V1Volume: ['configMap', 'emptyDir', 'hostPath', 'name', 'secret'],
  V1EmptyDirVolumeSource: [],
  V1HostPathVolumeSource: ['path', 'type'],
  V1ConfigMapVolumeSource: ['defaultMode', 'items', 'name', 'optional'],
  V1SecretVolumeSource: ['defaultMode', 'items', 'optional', 'secretName'],
  V1KeyToPath: ['key', 'mode', 'path'],
};

/**
 * Values that ask for nothing we do not do: what the API server writes itself into an object that is read back from
 * a cluster and applied here. `null` stands for any value.
 */
const HARMLESS: Readonly<Record<string, unknown>> = {
  'V1Pod.status': null,
  'V1Deployment.status': null,
  'V1ObjectMeta.creationTimestamp': null,
  'V1ObjectMeta.generation': null,
  'V1ObjectMeta.managedFields': null,
  'V1ObjectMeta.resourceVersion': null,
  'V1ObjectMeta.selfLink': null,
  'V1ObjectMeta.uid': null,
  'V1DeploymentSpec.progressDeadlineSeconds': 600,
  'V1DeploymentSpec.revisionHistoryLimit': 10,
  'V1DeploymentSpec.minReadySeconds': 0,
  'V1DeploymentSpec.paused': false,
  'V1PodSpec.dnsPolicy': 'ClusterFirst',
  'V1PodSpec.enableServiceLinks': null,
  'V1PodSpec.automountServiceAccountToken': null,
  'V1PodSpec.serviceAccount': null,
  'V1PodSpec.nodeName': null,
  'V1PodSpec.schedulerName': 'default-scheduler',
  'V1PodSpec.priority': 0,
  'V1PodSpec.hostIPC': false,
  'V1PodSpec.hostPID': false,
  'V1Container.stdin': false,
  'V1Container.tty': false,
  'V1Container.terminationMessagePath': '/dev/termination-log',
  'V1Container.terminationMessagePolicy': 'File',
  'V1EmptyDirVolumeSource.medium': '',
};

/** Whether a field that is there is worth a warning. An empty map or list asks for nothing. */
export function isUnhonoured(type: string, field: string, value: unknown): boolean {
  const honoured = HONOURED[type];
  if (!honoured || honoured.includes(field)) return false;
  const place = `${type}.${field}`;
  if (Object.hasOwn(HARMLESS, place) && (HARMLESS[place] === null || HARMLESS[place] === value)) return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

export const HONOURED_RESOURCES = ['cpu', 'memory'];
