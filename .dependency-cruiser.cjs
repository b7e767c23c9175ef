/**
 * Who may import whom, over everything that is TypeScript here; type imports count. Each room of `src` lists what it may use,
 * and all else is an error; a room without a line fails `every-room-has-a-rule`.
 */
const folder = (room) => `^src/${room}/`
const file = (name) => `^src/${name}\\.ts$`
const pkg = (name) => `^node_modules/(@types/)?${name}/`
const node = (...names) => `^(node:)?(${names.join('|')})$`
const anyNode = '^(node:)?(assert|async_hooks|buffer|child_process|crypto|dns|dns/promises|events|fs|fs/promises|http|module|net|os|path|perf_hooks|process|readline|readline/promises|stream|string_decoder|timers|timers/promises|tty|url|util|v8|worker_threads)$'

const domain = [folder('orders'), folder('users')]
const time = folder('time')
const ids = file('ids')
const typebox = pkg('@sinclair/typebox')

/** `files`: where it is not the folder of that name. */
const rooms = {
  orders: { why: 'the domain is pure: no I/O, no HTTP; clock and ids are arguments', may: [...domain, time], packages: [typebox, node('crypto')] },
  users: { why: 'the domain is pure: no I/O, no HTTP', may: [folder('users'), time], packages: [typebox] },
  feed: { why: 'what happened, in the order of the commits, and as others see it; its rows reach it as an argument', may: [folder('orders')], packages: [typebox, node('timers/promises')] },
  time: { why: 'moments and waiting; whatever waits or writes a moment may use it', may: [], packages: [node('timers/promises')] },
  ids: { files: ids, why: 'where ids come from; who needs one is given the function', may: [], packages: [pkg('uuid'), node('crypto')] },
  webhooks: { why: 'endpoints and what is sent to them: addresses, schedule, signatures, outcomes; rows reach it as an argument', may: [...domain, time, folder('addresses')], packages: [typebox, node('crypto', 'dns', 'http', 'https', 'net', 'util')] },
  jobs: { why: 'what operators see of parked events and ask to be done with many; it is done elsewhere', may: [folder('users')], packages: [] },
  usecases: { why: 'where domain, intake, rows and views meet: they know services only as ports', may: [...domain, time, ids, folder('webhooks'), folder('jobs')], packages: [] },
  http: { why: 'the HTTP contract, whatever route it is that keeps it', may: [...domain, file('config'), folder('addresses'), folder('logs')], packages: [pkg('fastify'), pkg('pino'), typebox, pkg('ajv'), pkg('ajv-formats'), node('buffer', 'crypto', 'http', 'net', 'timers/promises')] },
  auth: { why: 'tokens and sessions; who is refused is told in terms of the HTTP contract', may: [folder('users'), folder('http'), time], packages: [pkg('@fastify/jwt'), pkg('cookie'), node('crypto')] },
  addresses: { why: 'addresses and URLs as people and proxies write them: read, judged, shown', may: [], packages: [node('net'), pkg('ipaddr.js')] },
  secrets: { why: 'what a secret is worth, and what is signed and verified by one', may: [folder('addresses')], packages: [node('crypto')] },
  health: { why: 'what is up, since when, and what gets on; it is told so and asks no service', may: [folder('logs')], packages: [pkg('fastify'), typebox, node('events', 'timers/promises')] },
  store: { why: 'SQL and nothing else', may: [...domain, time, folder('addresses'), folder('webhooks'), folder('jobs')], packages: [pkg('pg'), pkg('node-pg-migrate'), node('crypto', 'events', 'fs/promises', 'timers/promises', 'url')] },
  cache: { why: 'what Redis holds and nothing else', may: [...domain, time, folder('secrets')], packages: [pkg('ioredis'), node('net')] },
  broker: { why: 'the broker knows order events; the fallback queue reaches intake as an argument', may: [...domain, time, ...['addresses', 'secrets'].map(folder)], packages: [pkg('amqplib'), node('buffer', 'dns/promises', 'net', 'timers/promises')] },
  parking: { why: 'an event that cannot be booked: from the broker into a table, and back', may: [...domain, time, ...['jobs', 'store', 'broker', 'secrets'].map(folder)], packages: [node('buffer')] },
  expiry: { why: 'orders that stay unpaid: found, and handed over to be cancelled; for worker and command alike', may: [...domain, folder('store')], packages: [] },
  logs: { why: 'log lines: what they hold, how they are written and read; no other room of ours is told about them', may: [file('config'), time, folder('tracing')], packages: [pkg('pino'), typebox, node('fs')] },
  metrics: { why: 'the one room that knows prom-client; the rooms below hold plain numbers', may: [], packages: [pkg('prom-client')] },
  tracing: { why: 'spans, and OpenTelemetry nowhere else', may: domain, packages: [pkg('@opentelemetry/[^/]+'), node('async_hooks')] },
  doctor: { why: 'the doctor looks at the services and changes nothing; SQL and topology stay where they are', may: [folder('health'), file('config'), folder('addresses'), folder('secrets'), time, folder('store'), folder('broker'), folder('cache')], packages: [pkg('pg'), pkg('ioredis'), pkg('amqplib'), node('events', 'net', 'timers/promises')] },
  config: { files: '^src/(config|environment)\\.ts$', why: 'the environment is read here; of ours it knows only what an address and a secret are', may: [folder('addresses'), folder('secrets')], packages: [typebox, pkg('env-schema')] },
  plugins: {
    why: 'plugins open, decorate and close what a room holds; they know no route and no process',
    may: [...domain, time, ids, file('config'), ...['usecases', 'http', 'addresses', 'auth', 'secrets', 'health', 'feed', 'webhooks', 'jobs', 'store', 'cache', 'broker', 'parking', 'doctor', 'logs', 'metrics', 'tracing'].map(folder)],
    packages: ['^node_modules/(?!prom-client/)', anyNode]
  },
  routes: { why: 'routes reach services only through typed decorators', may: [...domain, folder('feed'), folder('webhooks'), folder('jobs'), folder('usecases'), folder('http'), folder('auth'), folder('logs')], packages: [pkg('fastify'), typebox, pkg('@fastify/type-provider-typebox')] },
  worker: {
    why: 'the sources of the worker, and what becomes of their batches; it listens to no HTTP',
    may: [...domain, time, ...['store', 'cache', 'broker', 'secrets', 'parking', 'expiry', 'health', 'logs', 'metrics', 'tracing', 'plugins'].map(folder)],
    packages: [pkg('fastify'), pkg('fastify-plugin'), pkg('amqplib'), node('crypto', 'events', 'timers/promises')]
  },
  relay: {
    why: 'what is told by itself, and how far; it listens to no HTTP',
    may: [...domain, time, ...['feed', 'webhooks', 'secrets', 'store', 'broker', 'health', 'logs', 'metrics', 'plugins'].map(folder)],
    packages: [pkg('fastify'), pkg('fastify-plugin'), node('crypto', 'os', 'timers/promises')]
  },
  'api-process': { files: file('api'), why: 'a composition: plugins in written order, then routes', may: [file('config'), ...['http', 'logs', 'plugins', 'routes'].map(folder)], packages: [pkg('fastify'), pkg('pino')] },
  'worker-process': { files: file('worker'), why: 'a composition: plugins in written order, then sources; it has no routes', may: [file('config'), ...['http', 'logs', 'plugins', 'worker'].map(folder)], packages: [pkg('fastify'), pkg('pino')] },
  'relay-process': { files: file('relay'), why: 'a composition: plugins in written order, then what is told; it has no routes', may: [file('config'), ...['http', 'logs', 'plugins', 'relay'].map(folder)], packages: [pkg('fastify'), pkg('pino')] },
  commands: {
    why: 'a command starts processes or shows what a room knows; it holds no rules of the product',
    may: [file('config'), file('api'), file('worker'), file('relay'), ids, ...['addresses', 'users', 'webhooks', 'usecases', 'store', 'cache', 'secrets', 'parking', 'expiry', 'doctor', 'logs'].map(folder)],
    packages: [pkg('fastify'), pkg('pg'), pkg('close-with-grace'), anyNode]
  },
  cli: { files: file('cli'), why: 'cli picks a command, and knows the words that its options take', may: [folder('commands'), file('users/actions')], packages: [pkg('commander'), node('os')] }
}
const filesOf = ([room, { files = folder(room) }]) => files

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to })
const others = (...names) => ({ path: `^(${names.join('|')})/` })

/** What stands beside `src`. */
const beside = [
  rule('local-stands-beside', 'local finds and starts services and runs the product over them; of the product it knows the tables, how their values are hashed, the names of its variables, its bin, and what a terminal interprets', { path: '^local/' }, { path: '^src/', pathNot: ['^src/store/', '^src/addresses/', '^src/auth/pseudonyms', '^src/logs/terminal', file('cli'), file('config'), file('environment')] }),
  rule('local-is-below-its-users', 'what starts the product knows nothing of what tests, measures or harms it', { path: '^local/' }, others('testkit', 'test', 'bench', 'drill', 'traffic', 'scripts')),
  rule('console-is-a-client', 'the page knows the service as any client does: by its contract', { path: '^console/' }, { path: '^(src|local|testkit|test|bench|drill|traffic|scripts)/' }),
  rule('console-is-built-not-imported', 'what it is made of is bundled into files', { path: '^(src|local|testkit|test|bench|drill|traffic|scripts)/' }, { path: '^console/' }),
  rule('testkit-is-below-its-users', 'what tests, bench, drill and traffic share knows none of them', { path: '^testkit/' }, others('test', 'bench', 'drill', 'traffic', 'scripts')),
  rule('bench-stands-alone', 'a measurement must not change because a test or a fault did: what they share is in testkit', { path: '^bench/' }, others('test', 'drill', 'traffic', 'scripts')),
  rule('drill-stands-alone', 'what the drill proves must not hang on how it is tested: what they share is in testkit', { path: '^drill/' }, others('test', 'bench', 'traffic', 'scripts')),
  rule('traffic-is-a-client', 'it meets a service that it knows by its contract alone', { path: '^traffic/' }, { path: '^(src|local|test|bench|drill|scripts)/', pathNot: '^src/orders/order' }),
  rule('scripts-read-the-contract', 'a script is part of a build: it may boot the api for its document, and read what the exchange is told', { path: '^scripts/' }, { path: '^(src|local|testkit|test|bench|drill|traffic)/', pathNot: [file('api'), file('config'), file('broker/(codec|topology)'), file('feed/(schema|cloud-event)'), file('logs/logger'), file('orders/(event|feed-event|status)')] }),
  rule('bench-and-drill-have-own-tests', 'a test of the product must not hang on how it is measured or harmed; documents name faults of the drill', { path: '^test/', pathNot: '^test/(bench|drill|traffic|e2e)/' }, others('bench', 'drill', 'traffic')),
  rule('tests-share-by-support', 'what two folders of tests need is in test/support', { path: '^test/([^/]+)/' }, { path: '^test/', pathNot: ['^test/$1/', '^test/support/'] }),
  rule('tests-mirror-rooms', 'a test is found by the room that it is about', { path: '^test/', pathNot: [`^test/(${[...Object.keys(rooms), 'local', 'testkit', 'bench', 'drill', 'traffic', 'scripts', 'deploy', 'e2e', 'faults', 'runner', 'support'].join('|')})/`, '^test/[^/]+\\.ts$'] }, {})
]

module.exports = {
  forbidden: [
    rule('no-cycles', 'a cycle has no first file to read; the client is generated', { pathNot: '^clients/' }, { circular: true }),
    rule('resolvable', 'what cannot be found is checked by no rule; packages of the alternatives are installed only to measure them', { pathNot: '^bench/alternatives/contestants/' }, { couldNotResolve: true }),
    rule('no-dev-packages', 'production runs without dev packages', { path: '^src' }, { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' }),
    rule('src-stands-alone', 'the image holds src alone', { path: '^src/' }, { path: '^(local|testkit|test|bench|drill|traffic|scripts)/' }),
    rule('every-room-has-a-rule', 'a new room needs a line here and in the map of the README', {}, { path: '^src/', pathNot: Object.entries(rooms).map(filesOf) }),
    rule('api-stands-alone', 'each process runs and is deployed without the others', { path: [file('api'), folder('routes')] }, { path: [file('worker'), folder('worker'), file('relay'), folder('relay')] }),
    rule('worker-stands-alone', 'each process runs and is deployed without the others', { path: [file('worker'), folder('worker')] }, { path: [file('api'), folder('routes'), file('relay'), folder('relay')] }),
    rule('relay-stands-alone', 'each process runs and is deployed without the others', { path: [file('relay'), folder('relay')] }, { path: [file('api'), folder('routes'), file('worker'), folder('worker')] }),
    rule('opentelemetry-only-in-tracing', 'other rooms know spans by type alone', { path: '^src/', pathNot: folder('tracing') }, { path: pkg('@opentelemetry/[^/]+'), dependencyTypesNot: ['type-only'] }),
    rule('opentelemetry-is-loaded-when-asked-for', 'where traces are off nothing of it is loaded: only `import()` of open.ts leads to it, and type imports',
      { path: '^src/', pathNot: '^src/tracing/(open|traces)\\.ts$' },
      { path: ['^src/tracing/(open|traces)\\.ts$', pkg('@opentelemetry/[^/]+')], dynamic: false, dependencyTypesNot: ['type-only'] }),
    rule('webhooks-are-sent-by-the-sender', 'what is decided about a delivery is pure; two files touch the network', { path: '^src/webhooks/', pathNot: '^src/webhooks/(sender|resolver)' }, { path: node('dns', 'http', 'https', 'net') }),
    rule('identity-only-crypto', 'the domain hashes identities and nothing else', { path: '^src/orders/', pathNot: '^src/orders/identity' }, { path: node('crypto') }),
    ...Object.entries(rooms).map((entry) => {
      const [room, { why, may, packages }] = entry
      return rule(`room-${room}`, why, { path: filesOf(entry) }, { pathNot: [filesOf(entry), ...may, ...packages] })
    }),
    ...beside
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  }
}
