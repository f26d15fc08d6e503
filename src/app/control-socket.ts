import { join } from 'node:path';

/** Where an agent with this data folder is asked to do things. */
export const controlSocket = (dataDir: string): string => join(dataDir, 'agent.sock');
