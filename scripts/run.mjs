// node scripts/run.mjs <file.ts> [arguments]: runs one file of this project, in this process, as JavaScript.
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { transpile } from './transpile.mjs'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))
const [entry, ...args] = process.argv.slice(2)
const file = join(await transpile(), entry.replace(/\.ts$/, '.js'))
process.argv.splice(1, process.argv.length, file, ...args)
await import(pathToFileURL(file).href)
