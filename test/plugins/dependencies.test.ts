import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

interface Plugin { file: string, name: string, dependencies: string[], decorates: string[], reads: string[] }

/** Those of Fastify itself and of what a plugin registers for itself. */
const FASTIFY = new Set(['addHook', 'register', 'decorate', 'decorateRequest', 'log', 'server', 'get', 'ready', 'close', 'after', 'inject', 'listen', 'route', 'addContentTypeParser', 'removeContentTypeParser', 'getDefaultJsonParser', 'routing',
  'setErrorHandler', 'setNotFoundHandler', 'setValidatorCompiler', 'setSchemaErrorFormatter', 'hasDecorator', 'getDecorator', 'addSchema', 'getSchemas', 'printRoutes', 'initialConfig', 'prefix', 'jwt', 'swagger', 'createRateLimit', 'pg'])

function pluginsIn (folder: string, files = readdirSync(folder)): Plugin[] {
  return files.filter((file) => file.endsWith('.ts')).map((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const [, options = ''] = /\}, \{ name: ([^}]*)\}\)/.exec(text) ?? []
    const body = text.slice(text.indexOf('fp'))
    const destructured = [...body.matchAll(/const \{ ([^}]*) \} = app\n/g)].flatMap(([, names]) => names!.split(', ').map((name) => name.split(':')[0]!.trim()))
    const members = [...body.matchAll(/\bapp\.(\w+)/g)].map(([, name]) => name!)
    return {
      file,
      name: /'([^']+)'/.exec(options)?.[1] ?? '',
      dependencies: [...(/dependencies: \[([^\]]*)\]/.exec(options)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(([, name]) => name!),
      decorates: [...body.matchAll(/\.decorate\('(\w+)'/g)].map(([, name]) => name!),
      reads: [...new Set([...destructured, ...members])].filter((name) => !FASTIFY.has(name))
    }
  })
}

const plugins = pluginsIn('src/plugins')

t.test('every file in src/plugins registers a plugin with a name', async (t) => {
  t.ok(plugins.length > 10)
  for (const { file, name } of plugins) t.match(name, /^[\w-]+$/, file)
})

t.test('a plugin declares every plugin whose decorators it reads', async (t) => {
  const all = [...plugins, ...pluginsIn('src/worker', ['sources.ts'])]
  const ownerOf = new Map(all.flatMap(({ name, decorates }) => decorates.map((decorator) => [decorator, name] as const)))
  for (const { file, name, dependencies, reads } of all) {
    const owners = reads.flatMap((decorator) => {
      const owner = ownerOf.get(decorator)
      return owner === undefined || owner === name ? [] : [owner]
    })
    t.strictSame([...new Set(owners)].filter((owner) => !dependencies.includes(owner)), [], file)
  }
  t.ok(plugins.some(({ reads }) => reads.length > 3), 'reads are found at all')
})
