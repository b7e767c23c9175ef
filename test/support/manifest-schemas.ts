import { Ajv } from 'ajv'
import ts from 'typescript'
import type { Manifest } from './kubernetes.js'

interface Model { validate (): void }
type Models = Record<string, new (manifest: unknown) => Model>

/** Where the published schemas of an API are; each kind is a class there, and its interface, `I<kind>`. */
const PACKAGES: Record<string, string> = {
  v1: 'kubernetes-models/v1',
  'apps/v1': 'kubernetes-models/apps/v1',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'policy/v1': 'kubernetes-models/policy/v1',
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  'postgresql.cnpg.io/v1': '@kubernetes-models/cloudnative-pg/postgresql.cnpg.io/v1'
}

/**
 * As much of RabbitmqCluster as we use, by the API reference of its operator: nobody publishes its schema as a package. What is
 * Kubernetes' own in it (resources, affinity) is looked at as part of a pod below.
 */
const RABBITMQ = {
  type: 'object',
  required: ['replicas', 'image', 'persistence', 'rabbitmq'],
  additionalProperties: false,
  properties: {
    replicas: { type: 'integer', minimum: 1 },
    image: { type: 'string' },
    persistence: { type: 'object', additionalProperties: false, properties: { storage: { type: 'string', pattern: '^[0-9]+[KMGT]i?$' }, storageClassName: { type: 'string' } } },
    rabbitmq: {
      type: 'object',
      additionalProperties: false,
      properties: { additionalConfig: { type: 'string', maxLength: 2000 }, additionalPlugins: { type: 'array', items: { type: 'string' }, maxItems: 100 } }
    },
    resources: { type: 'object' },
    affinity: { type: 'object' }
  }
}
const isRabbitmqSpec = new Ajv().compile(RABBITMQ)

/** What the published schemas have against these manifests, one text a fault. */
export async function schemaFaults (all: readonly Manifest[]): Promise<string[]> {
  const faults = await Promise.all(all.map(async (manifest) => {
    if (manifest.kind === 'RabbitmqCluster') return isRabbitmqSpec(manifest.spec) ? [] : isRabbitmqSpec.errors!.map(({ instancePath, message, params }) => `spec${instancePath} ${message} ${JSON.stringify(params)}`)
    return await faultsOf(manifest)
  }))
  return all.flatMap((manifest, index) => faults[index]!.map((fault) => `${manifest.kind} ${manifest.metadata.name}: ${fault}`))
}

async function faultsOf (manifest: Manifest): Promise<string[]> {
  const from = PACKAGES[manifest.apiVersion]
  if (from === undefined) return [`no schema of ${manifest.apiVersion}`]
  const { [manifest.kind]: Kind } = await import(from) as Models
  if (Kind === undefined) return [`no ${manifest.kind} in ${manifest.apiVersion}`]
  try {
    new Kind(manifest).validate()
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

const FILE = 'manifests.ts'

/**
 * Members that no schema knows, as a misspelt `readinesProbe`: those schemas let them pass, a server that is asked by kubectl does
 * not. Each manifest becomes a literal of its kind's published type, and the compiler tells what is too much in it.
 */
export function unknownMembers (all: readonly Manifest[]): string[] {
  const typed = all.map(typedManifest).filter((each) => each !== null)
  const text = typed.map(({ type, value }, index) => `export const m${index}: ${type} = ${JSON.stringify(value)}`).join('\n')
  const options: ts.CompilerOptions = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, noEmit: true, skipLibCheck: true, types: [] }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.getSourceFile = (name, ...rest) => name === FILE ? ts.createSourceFile(FILE, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest)
  host.fileExists = (name) => name === FILE || fileExists(name)
  const program = ts.createProgram([FILE], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start!).line : 0
    return `${typed[line]?.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

function typedManifest (manifest: Manifest): { name: string, type: string, value: unknown } | null {
  const { kind, apiVersion, metadata, spec } = manifest
  const name = `${kind} ${metadata.name}`
  if (kind !== 'RabbitmqCluster') return { name, type: `import('${PACKAGES[apiVersion]}').I${kind}`, value: manifest }
  const { resources, affinity } = spec
  return { name, type: "import('kubernetes-models/v1').IPodSpec", value: { affinity, containers: [{ name, resources }] } }
}
