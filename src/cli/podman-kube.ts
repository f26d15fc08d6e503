import { type Document, isMap, isScalar, isSeq, parseAllDocuments, type YAMLMap } from 'yaml';

/** Podman's notes to itself. Kubernetes refuses some of their names: the part before the slash has capitals. */
const PODMANS_OWN = /^io\.(?:kubernetes\.cri-o|podman\.annotations)\./;

/** A manifest as Podman generates it, without what is of that very pod alone: to be applied anywhere. */
export function cleanManifest(text: string): string {
  return parseAllDocuments(text)
    .map((document) => {
      const parsed = document as Document;
      parsed.commentBefore = null;
      if (isMap(parsed.contents)) parsed.contents.commentBefore = null;
      parsed.deleteIn(['status']);
      parsed.deleteIn(['metadata', 'creationTimestamp']);
      const annotations = parsed.getIn(['metadata', 'annotations']);
      if (isMap(annotations)) {
        annotations.items = annotations.items.filter(
          ({ key }) => !PODMANS_OWN.test(String(isScalar(key) ? key.value : key)),
        );
        if (annotations.items.length === 0) parsed.deleteIn(['metadata', 'annotations']);
      }
      renameVolumes(parsed);
      return parsed.toString();
    })
    .join('---\n');
}

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter(isMap) : []);

/** Podman makes the names of volumes from paths, capitals and all; Kubernetes allows less. */
function renameVolumes(document: Document): void {
  const names = new Map<string, string>();
  for (const volume of mapsIn(document.getIn(['spec', 'volumes']))) {
    const name = String(volume.get('name'));
    const wanted =
      name
        .toLowerCase()
        .replace(/[^a-z0-9-]/g, '-')
        .slice(0, 60)
        .replace(/^-+|-+$/g, '') || 'volume';
    let chosen = wanted;
    for (let more = 2; [...names.values()].includes(chosen); more += 1) chosen = `${wanted}-${more}`;
    names.set(name, chosen);
    volume.set('name', chosen);
  }
  for (const kind of ['containers', 'initContainers']) {
    for (const container of mapsIn(document.getIn(['spec', kind]))) {
      for (const mount of mapsIn(container.get('volumeMounts')))
        mount.set('name', names.get(String(mount.get('name'))) ?? mount.get('name'));
    }
  }
}
