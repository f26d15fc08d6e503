// Remakes every generated file that is committed; `npm run generate`. CI checks that nothing changes.
const generators = [] as const;

for (const generator of generators as readonly (() => Promise<void>)[]) await generator();
