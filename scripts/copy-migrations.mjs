// Part of `npm run build`: tsc copies no .sql files, and the built service migrates as well.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const from = join(project, 'src/store/migrations')
const to = join(project, 'dist/store/migrations')

// a migration that was renamed must not be there under both names
rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
const files = readdirSync(from).filter(name => name.endsWith('.sql'))
if (files.length === 0) throw new Error('no migrations in ' + from)
for (const name of files) cpSync(join(from, name), join(to, name))
