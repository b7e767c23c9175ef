import { readFileSync } from 'node:fs'
import t from 'tap'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { badVariables, type ProcessName } from '../../src/config.js'
import { Environment } from '../../src/environment.js'
import { type Container, type Manifest, noKubectl, OVERLAYS, render } from '../support/kubernetes.js'

const OURS = ['api', 'worker', 'relay'] as const
/** As deploy/kubernetes/README.md has them made. */
const SECRETS: Record<string, string[]> = {
  comanda: ['EVENT_KEYS', 'REDIS_URL', 'DATABASE_URL'],
  'comanda-api': ['AMQP_URL', 'JWT_SECRET', 'PSEUDONYM_KEY', 'DATA_KEYS'],
  'comanda-worker': ['AMQP_URL'],
  'comanda-relay': ['AMQP_URL', 'DATA_KEYS']
}
const MIB = { Mi: 1, Gi: 1024 }

const key = (letter: string) => Array.from({ length: 40 }, (_, at) => String.fromCharCode(97 + (at * 7 + letter.charCodeAt(0) * 11) % 26)).join('')
const VALUES: Record<string, string> = {
  EVENT_KEYS: key('e'),
  REDIS_URL: 'redis://:kettle-lamp-river@redis:6379',
  DATABASE_URL: 'postgres://shop:window-stone-forest@db/shop',
  AMQP_URL: 'amqp://shop:garden-paper-cloud@mq',
  JWT_SECRET: key('k'),
  PSEUDONYM_KEY: key('q'),
  DATA_KEYS: `k1:${Buffer.from(Array.from({ length: 32 }, (_, at) => at * 37 % 251)).toString('base64')}`
}

interface Ours { name: ProcessName, deployment: Manifest, container: Container }
type Proof = (all: readonly Manifest[]) => string[]

function ours (all: readonly Manifest[]): Ours[] {
  return OURS.map((name) => {
    const deployment = all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `comanda-${name}`)!
    return { name, deployment, container: deployment.spec.template.spec.containers[0] as Container }
  })
}

const inEach = (all: readonly Manifest[], find: (own: Ours) => Array<string | false>) => ours(all).flatMap((own) => find(own).flatMap((fault) => fault === false ? [] : `${own.name}: ${fault}`))

function configOf (all: readonly Manifest[], { envFrom, env = [] }: Container): Record<string, string> {
  const maps = envFrom.flatMap(({ configMapRef, secretRef }) => configMapRef
    ? Object.entries(all.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name)?.data ?? { [`no config map ${configMapRef.name}`]: '' })
    : (SECRETS[secretRef!.name] ?? [`no secret ${secretRef!.name}`]).map((name): [string, string] => [name, VALUES[name] ?? '']))
  return { ...Object.fromEntries(maps), ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? VALUES[name] ?? ''])) }
}

/** Seconds that a process takes at most to end, by its own watch. */
const GRACE_S = Number(/GRACE_MS = (\d+)/.exec(readFileSync('src/commands/process.ts', 'utf8'))![1]) / 1000
const DOCKERFILE = readFileSync('Dockerfile', 'utf8')
const mebibytes = (text: string) => Number.parseInt(text) * MIB[text.slice(-2) as keyof typeof MIB]

/** Each finds what is wrong with a rendered overlay. */
const PROOFS: Record<string, Proof> = {
  'a pod is given longer than the sleep before SIGTERM and the end of a process together': (all) => inEach(all, ({ deployment, container }) => {
    const [command, seconds] = container.lifecycle.preStop.exec.command
    return [command !== 'sleep' && 'no sleep', deployment.spec.template.spec.terminationGracePeriodSeconds <= Number(seconds) + GRACE_S + 1 && 'killed while it ends']
  }),
  'each deployment has a budget that lets one go at a time': (all) => inEach(all, ({ name, deployment }) => {
    const labels = deployment.spec.template.metadata.labels as Record<string, string>
    const budget = all.find(({ kind, metadata }) => kind === 'PodDisruptionBudget' && metadata.name === `comanda-${name}`)
    return [!budget && 'no budget', budget?.spec.maxUnavailable !== 1 && 'more than one may go', Object.entries(budget?.spec.selector.matchLabels ?? {}).some(([label, value]) => labels[label] !== value) && 'the budget is for other pods']
  }),
  'every variable is known, and each process would start with what it is given': (all) => inEach(all, ({ name, container }) => {
    const config = configOf(all, container)
    const unknown = Object.keys(config).filter((variable) => !(variable in Environment.properties))
    return [...unknown.map((variable) => `${variable} is unknown`), ...badVariables(name, config).values()]
  }),
  'every port is one that is served, and probes ask for what is there': (all) => inEach(all, ({ name, container }) => {
    const config = configOf(all, container)
    const { default: standard } = Environment.properties[({ api: 'PORT', worker: 'WORKER_PORT', relay: 'RELAY_PORT' } as const)[name]]
    const own = container.ports.find(({ containerPort }) => containerPort === standard)
    const others = container.ports.filter((port) => port !== own && String(port.containerPort) !== config.OPS_PORT)
    const probes = { startupProbe: '/livez', livenessProbe: '/livez', readinessProbe: '/readyz' } as const
    return [
      !own && 'its port is not named',
      ...others.map(({ containerPort }) => `nothing listens on ${containerPort}`),
      ...Object.entries(probes).map(([probe, path]) => {
        const { httpGet } = container[probe as keyof typeof probes]
        return (httpGet.path !== path || httpGet.port !== own?.name) && `${probe} asks ${httpGet.port}${httpGet.path}`
      }),
      !DOCKERFILE.includes(String(standard)) && 'the image does not expose its port'
    ]
  }),
  'image and command are those of the Dockerfile': (all) => inEach(all, ({ name, container }) => {
    const [, command] = /^CMD (\[.*\])$/m.exec(DOCKERFILE)!
    const expected = (JSON.parse(command!) as string[]).with(-1, name)
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    return [container.image !== `comanda:${version}` && `image ${container.image}`, container.command.join(' ') !== expected.join(' ') && `command ${container.command.join(' ')}`]
  }),
  'no process has a right that it does not need': (all) => inEach(all, ({ deployment, container }) => {
    const pod = deployment.spec.template.spec
    const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext
    return [
      pod.securityContext.runAsNonRoot !== true && 'may be root',
      pod.securityContext.seccompProfile?.type !== 'RuntimeDefault' && 'no seccomp',
      pod.automountServiceAccountToken !== false && 'has a token of the cluster',
      (allowPrivilegeEscalation || !readOnlyRootFilesystem || !capabilities.drop.includes('ALL')) && 'has more than it needs'
    ]
  }),
  'memory is bounded above the heap that the image allows, and no bound holds the processor up': (all) => inEach(all, ({ container: { resources } }) => {
    const heap = Number(/--max-old-space-size=(\d+)/.exec(DOCKERFILE)![1])
    return [mebibytes(resources.limits.memory!) <= heap && 'killed before it collects', 'cpu' in resources.limits && 'a limit of the processor', !resources.requests.cpu && 'asks for no processor']
  }),
  'pods are spread over zones and machines': (all) => inEach(all, ({ deployment }) => {
    const keys = (deployment.spec.template.spec.topologySpreadConstraints as Array<{ topologyKey: string }>).map(({ topologyKey }) => topologyKey)
    return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((wanted) => !keys.includes(wanted) && `not over ${wanted}`)
  }),
  'network policies are for our pods alone, and the api\'s clients reach its port and no other': (all) => {
    const policies = all.filter(({ kind }) => kind === 'NetworkPolicy')
    const foreign = policies.filter(({ spec }) => spec.podSelector.matchLabels?.['app.kubernetes.io/name'] !== 'comanda').map(({ metadata }) => `${metadata.name}: for any pod`)
    const open = policies.flatMap(({ spec, metadata }) => (spec.ingress ?? []).filter((rule: { from?: unknown }) => !rule.from)
      .filter((rule: { ports: Array<{ port: number }> }) => rule.ports.some(({ port }) => port !== Environment.properties.PORT.default)).map(() => `${metadata.name}: open to all`))
    return [...foreign, ...open, ...(policies.length === 0 ? ['none'] : [])]
  },
  'KEDA looks at the queue of the topology, by depth and by rate, held messages counted, and keeps two workers': (all) => {
    const scaled = all.find(({ kind }) => kind === 'ScaledObject')
    if (!scaled) return []
    interface Trigger { type: string, metadata: Record<string, string> }
    const triggers = scaled.spec.triggers as Trigger[]
    const ofQueue = triggers.filter(({ type }) => type === 'rabbitmq')
    const worker = ours(all).find(({ name }) => name === 'worker')!
    return [
      ...ofQueue.filter(({ metadata }) => metadata.queueName !== ORDERS_QUEUE).map(({ metadata }) => `queue ${metadata.queueName}`),
      ...ofQueue.filter(({ metadata }) => metadata.protocol !== 'http' || metadata.excludeUnacknowledged === 'true').map(() => 'held messages are not counted'),
      ...['QueueLength', 'MessageRate'].filter((mode) => !ofQueue.some(({ metadata }) => metadata.mode === mode)).map((mode) => `no ${mode}`),
      ...(triggers.some(({ type, metadata }) => type === 'postgresql' && metadata.query?.includes('fallback_queue')) ? [] : ['the fallback queue is not looked at']),
      ...(scaled.spec.minReplicaCount >= 2 ? [] : ['fewer than two']),
      ...(scaled.spec.fallback ? [] : ['no fallback']),
      ...(worker.deployment.spec.replicas === undefined ? [] : ['two decide how many'])
    ]
  },
  'services in the cluster lose nothing that they confirmed': (all) => {
    const [broker, database] = ['RabbitmqCluster', 'Cluster'].map((wanted) => all.find(({ kind }) => kind === wanted))
    if (!broker && !database) return []
    return [
      ...(broker?.spec.replicas === 3 ? [] : ['not three brokers']),
      ...(broker?.spec.rabbitmq.additionalConfig.includes('pause_minority') ? [] : ['a minority goes on']),
      ...(database?.spec.instances === 3 ? [] : ['not three servers']),
      ...(database?.spec.postgresql.synchronous?.dataDurability === 'required' ? [] : ['what is committed may be lost'])
    ]
  }
}

const rendered = noKubectl ? [] : OVERLAYS.map((overlay) => ({ overlay, all: render(overlay) }))

for (const [claim, proof] of Object.entries(PROOFS)) {
  t.test(claim, { skip: noKubectl }, async (t) => {
    for (const { overlay, all } of rendered) t.strictSame(proof(all), [], overlay)
  })
}

type Plant = (all: readonly Manifest[], find: (kind: string, name?: string) => Manifest) => void

/** A fault for each proof, in words of its own. */
const PLANTED: Array<[claim: string, fault: RegExp, plant: Plant]> = [
  ['a pod is given', /killed while it ends/, (_all, find) => { find('Deployment', 'comanda-relay').spec.template.spec.terminationGracePeriodSeconds = 9 }],
  ['each deployment has a budget', /no budget/, (all) => { (all as Manifest[]).splice(all.findIndex(({ kind }) => kind === 'PodDisruptionBudget'), 1) }],
  ['each deployment has a budget', /for other pods/, (_all, find) => { find('PodDisruptionBudget', 'comanda-api').spec.selector.matchLabels['app.kubernetes.io/component'] = 'worker' }],
  ['every variable is known', /LOG_LEVELS is unknown/, (_all, find) => { find('ConfigMap').data!.LOG_LEVELS = 'info' }],
  ['every variable is known', /JWT_SECRET is missing/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.containers[0].envFrom.pop() }],
  ['every port', /nothing listens on 3009/, (_all, find) => { find('Deployment', 'comanda-worker').spec.template.spec.containers[0].ports.push({ name: 'x', containerPort: 3009 }) }],
  ['every port', /readinessProbe asks http\/health/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.containers[0].readinessProbe.httpGet.path = '/health' }],
  ['image and command', /command node dist\/cli.js api/, (_all, find) => { find('Deployment', 'comanda-worker').spec.template.spec.containers[0].command[2] = 'api' }],
  ['no process has a right', /may be root/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.securityContext.runAsNonRoot = false }],
  ['no process has a right', /more than it needs/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem = false }],
  ['memory is bounded', /killed before it collects/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.containers[0].resources.limits.memory = '256Mi' }],
  ['pods are spread', /not over topology.kubernetes.io\/zone/, (_all, find) => { find('Deployment', 'comanda-api').spec.template.spec.topologySpreadConstraints.shift() }],
  ['network policies', /comanda: for any pod/, (_all, find) => { find('NetworkPolicy', 'comanda').spec.podSelector = {} }],
  ['network policies', /comanda-clients: open to all/, (_all, find) => { find('NetworkPolicy', 'comanda-clients').spec.ingress[0].ports.push({ port: 9464 }) }],
  ['KEDA', /queue comanda.order$/, (_all, find) => { find('ScaledObject').spec.triggers[0].metadata.queueName = 'comanda.order' }],
  ['KEDA', /held messages are not counted/, (_all, find) => { find('ScaledObject').spec.triggers[0].metadata.protocol = 'amqp' }],
  ['KEDA', /no MessageRate/, (_all, find) => { find('ScaledObject').spec.triggers.splice(1, 1) }],
  ['KEDA', /two decide how many/, (_all, find) => { find('Deployment', 'comanda-worker').spec.replicas = 2 }],
  ['services in the cluster', /what is committed may be lost/, (_all, find) => { find('Cluster').spec.postgresql.synchronous.dataDurability = 'preferred' }],
  ['services in the cluster', /a minority goes on/, (_all, find) => { find('RabbitmqCluster').spec.rabbitmq.additionalConfig = '' }]
]

t.test('each of these finds a fault that is planted', { skip: noKubectl }, async (t) => {
  for (const [start, fault, plant] of PLANTED) {
    const all = structuredClone(rendered.at(-1)!.all)
    plant(all, (kind, name) => all.find((manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name))!)
    const [, proof] = Object.entries(PROOFS).find(([claim]) => claim.startsWith(start))!
    t.ok(proof(all).some((found) => fault.test(found)), `${start}: ${String(fault)} in ${proof(all).join('; ')}`)
  }
  for (const claim of Object.keys(PROOFS)) t.ok(PLANTED.some(([start]) => claim.startsWith(start)), `one is planted for: ${claim}`)
})
