/**
 * Who may import whom. Every room lists what it may use; all else is an error,
 * type imports included. A room without a line here fails `every-room-has-a-rule`.
 */
const own = (room) => `^src/${room}(/|\\.ts$)`
const pkg = (name) => `^node_modules/${name}/`
const node = (name) => `^(node:)?${name}$`
const anyNode = '^(node:)?(assert|async_hooks|buffer|child_process|crypto|dns|events|fs|fs/promises|http|module|net|os|path|perf_hooks|process|readline|readline/promises|stream|string_decoder|timers|timers/promises|tty|url|util|v8|worker_threads)$'

const rooms = {
  orders: { why: 'the domain is pure: no I/O, clock and ids are arguments', may: ['orders', 'users'], packages: [pkg('@sinclair/typebox'), node('crypto')] },
  users: { why: 'the domain is pure: no I/O', may: ['users'], packages: [pkg('@sinclair/typebox')] },
  desk: { why: 'the desk knows the services only as ports', may: ['desk', 'orders', 'users'], packages: [] },
  store: { why: 'SQL and nothing else', may: ['store', 'orders', 'users'], packages: [pkg('pg'), pkg('@types/pg'), pkg('node-pg-migrate'), anyNode] },
  cache: { why: 'views in Redis and nothing else', may: ['cache', 'orders'], packages: [pkg('ioredis'), anyNode] },
  broker: { why: 'the broker knows order events; the outbox reaches intake as an argument', may: ['broker', 'orders'], packages: [pkg('amqplib'), anyNode] },
  metrics: { why: 'the one room that knows prom-client; the rooms below hold plain numbers', may: ['metrics'], packages: [pkg('prom-client')] },
  config: { why: 'the environment is read here and depends on nothing of ours', may: ['config'], packages: [pkg('@sinclair/typebox'), pkg('env-schema')] },
  tracing: { why: 'spans, and OpenTelemetry nowhere else', may: ['tracing', 'orders'], packages: [pkg('@opentelemetry'), node('async_hooks')] },
  plugins: { why: 'plugins open, decorate and close; they know no route and no process', may: ['plugins', 'config', 'orders', 'users', 'desk', 'store', 'cache', 'broker', 'metrics', 'tracing'], packages: ['^node_modules/(?!prom-client/)', anyNode] },
  routes: { why: 'routes reach services only through typed decorators', may: ['routes', 'orders', 'users', 'desk'], packages: [pkg('fastify'), pkg('@sinclair/typebox'), pkg('@fastify/type-provider-typebox')] },
  worker: { why: 'api and worker never import each other', may: ['worker', 'config', 'orders', 'store', 'cache', 'broker', 'metrics', 'plugins', 'tracing'], packages: [pkg('fastify'), pkg('fastify-plugin'), pkg('pino'), pkg('amqplib'), anyNode] },
  api: { why: 'api and worker never import each other', may: ['api', 'config', 'plugins', 'routes'], packages: [pkg('fastify'), pkg('pino')] },
  doctor: { why: 'the doctor looks at the services and changes nothing; SQL and topology stay where they are', may: ['doctor', 'config', 'store', 'broker'], packages: [pkg('pg'), pkg('@types/pg'), pkg('ioredis'), pkg('amqplib'), anyNode] },
  commands: { why: 'a command starts processes; it holds no rules of the product', may: ['commands', 'config', 'api', 'worker', 'store', 'doctor', 'logs'], packages: ['^node_modules/', anyNode] },
  cli: { why: 'cli picks a command', may: ['cli', 'commands'], packages: [pkg('commander'), anyNode] },
  logs: { why: 'what log lines hold and tell; pure: no I/O', may: ['logs'], packages: [pkg('@sinclair/typebox')] }
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'a cycle has no first file to read', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-dev-packages', severity: 'error', comment: 'production runs without dev packages', from: { path: '^src' }, to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' } },
    { name: 'every-room-has-a-rule', severity: 'error', comment: 'a new room needs a line here and in the map of the README', from: {}, to: { path: '^src/', pathNot: Object.keys(rooms).map(own) } },
    {
      name: 'opentelemetry-only-in-tracing',
      severity: 'error',
      comment: 'other rooms know spans by type alone',
      from: { path: '^src/', pathNot: own('tracing') },
      to: { path: pkg('@opentelemetry'), dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'opentelemetry-is-loaded-when-asked-for',
      severity: 'error',
      comment: 'where traces are off nothing of it is loaded: only `import()` of open.ts leads to it, and type imports',
      from: { path: '^src/', pathNot: '^src/tracing/(open|traces)\\.ts$' },
      to: { path: ['^src/tracing/(open|traces)\\.ts$', pkg('@opentelemetry')], dynamic: false, dependencyTypesNot: ['type-only'] }
    },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(local|test|bench|drill)/' } },
    { name: 'local-stands-beside', severity: 'error', comment: 'local finds and starts services and runs the product over them; of the product it knows the tables, the names of its variables and its bin', from: { path: '^local/' }, to: { path: ['^src/(?!store/|cli|config)', '^(test|bench|drill)/'] } },
    ...Object.entries(rooms).map(([room, { why, may, packages }]) => ({
      name: `room-${room}`,
      severity: 'error',
      comment: why,
      from: { path: own(room) },
      to: { pathNot: [...may.map(own), ...packages] }
    })),
    { name: 'identity-only-crypto', severity: 'error', comment: 'the domain hashes identities and nothing else', from: { path: '^src/orders/', pathNot: '^src/orders/identity' }, to: { path: node('crypto') } }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  }
}
