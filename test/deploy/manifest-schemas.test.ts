import t from 'tap'
import { type Manifest, noKubectl, OVERLAYS, render } from '../support/kubernetes.js'
import { schemaFaults, unknownMembers } from '../support/manifest-schemas.js'

const rendered = noKubectl ? [] : OVERLAYS.map((overlay) => ({ overlay, all: render(overlay) }))

t.test('every manifest is valid by the schemas that Kubernetes and the operators publish', { skip: noKubectl }, async (t) => {
  for (const { overlay, all } of rendered) t.strictSame(await schemaFaults(all), [], overlay)
})

t.test('no manifest has a member that they do not know', { skip: noKubectl }, async (t) => {
  for (const { overlay, all } of rendered) t.strictSame(unknownMembers(all), [], overlay)
})

type Find = (kind: string) => Manifest
type Plant = [what: string, found: RegExp, plant: (find: Find) => void]

/** As `kubectl apply` would be told. */
function planted (plant: Plant[2]): Manifest[] {
  const all = structuredClone(rendered.find(({ overlay }) => overlay === 'keda')!.all)
  plant((kind) => all.find((manifest) => manifest.kind === kind)!)
  return all
}

const INVALID: Plant[] = [
  ['a number in quotes', /Deployment comanda-\w+: .*must be integer/, (find) => { find('Deployment').spec.minReadySeconds = '2' }],
  ['a selector that is missing', /Deployment comanda-\w+: .*required property selector/, (find) => { delete find('Deployment').spec.selector }],
  ['a trigger without a type', /ScaledObject .*required property type/, (find) => { delete find('ScaledObject').spec.triggers[0].type }],
  ['endpoints that are no list', /ServiceMonitor .*must be array/, (find) => { find('ServiceMonitor').spec.endpoints = {} }],
  ['servers that are words', /Cluster .*must be integer/, (find) => { find('Cluster').spec.instances = 'three' }],
  ['a durability that there is not', /Cluster .*dataDurability.*must be equal to one of/, (find) => { find('Cluster').spec.postgresql.synchronous.dataDurability = 'relaxed' }],
  ['a broker\'s configuration elsewhere', /RabbitmqCluster .*additionalConfig/, (find) => { find('RabbitmqCluster').spec.additionalConfig = 'x = y' }],
  ['a kind that there is not', /no Deploymentt in apps\/v1/, (find) => { find('Deployment').kind = 'Deploymentt' }],
  ['an API that nobody serves', /no schema of apps\/v9/, (find) => { find('Deployment').apiVersion = 'apps/v9' }]
]

t.test('each of these is found invalid', { skip: noKubectl }, async (t) => {
  for (const [what, found, plant] of INVALID) {
    const faults = await schemaFaults(planted(plant))
    t.ok(faults.some((fault) => found.test(fault)), `${what}: ${faults.join('; ')}`)
  }
})

t.test('a misspelt member is found, wherever it stands', { skip: noKubectl }, async (t) => {
  const found = unknownMembers(planted((find) => {
    find('Deployment').spec.template.spec.containers[0].readinesProbe = {}
    find('NetworkPolicy').spec.ingres = []
    find('ScaledObject').spec.triggers[0].meta = {}
    find('Cluster').spec.postgresql.synchronous.durability = 'required'
    find('ServiceMonitor').spec.endpoints[0].intervall = '15s'
    find('RabbitmqCluster').spec.affinity.podAntiAffinities = {}
  }))
  for (const name of ['readinesProbe', 'ingres', 'meta', 'durability', 'intervall', 'podAntiAffinities']) t.ok(found.some((fault) => fault.includes(`"${name}"`)), `${name}: ${found.join('; ')}`)
  t.equal(found.length, 6)
})
