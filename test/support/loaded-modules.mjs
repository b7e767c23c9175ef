/** Given to a process by `--import`: as it ends it says which packages of OpenTelemetry it has loaded. They are CommonJS, so all are in this cache. */
import { createRequire } from 'node:module'

const { cache } = createRequire(import.meta.url)
process.on('exit', () => {
  const packages = new Set(Object.keys(cache).flatMap((file) => /@opentelemetry[\\/]([^\\/]+)/.exec(file)?.[1] ?? []))
  console.log(JSON.stringify({ event: 'loaded', packages: [...packages].sort() }))
})
