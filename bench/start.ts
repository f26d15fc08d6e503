/** `bench -- scale` with one million series: the last column is how long a start takes. */
process.argv.push('--series', '1000000');
await import('./scale.ts');
