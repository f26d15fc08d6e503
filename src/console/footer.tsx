import type { NodeState } from '../model/record.ts';
import type { Overview } from './pods/overview.ts';

/** What each node's agent can enforce, and what it cannot. */
export function Footer({ overview }: { overview: Overview | undefined }) {
  return (
    <footer>
      {overview?.nodes.map((node) => (
        <Node key={node.node} node={node} />
      ))}
      <p>
        podvitals {overview?.version} · <a href="/api/pods">API</a> · <a href="/metrics">metrics</a>
      </p>
    </footer>
  );
}

function Node({ node: { node, level, notEnforced } }: { node: NodeState }) {
  return (
    <p>
      Node <b>{node}</b>: {level}.{' '}
      {notEnforced.length === 0 ? (
        'Everything the manifests ask for is enforced.'
      ) : (
        <>
          Not enforced here: <span class="mono">{notEnforced.join(', ')}</span>.
        </>
      )}
    </p>
  );
}
