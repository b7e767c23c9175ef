import { execFileSync, spawnSync } from 'node:child_process'
import { parseAllDocuments } from 'yaml'

export interface Container {
  image: string
  command: string[]
  envFrom: Array<{ configMapRef?: { name: string }, secretRef?: { name: string } }>
  env?: Array<{ name: string, value?: string, valueFrom?: { secretKeyRef: { name: string, key: string } } }>
  ports: Array<{ name: string, containerPort: number }>
  startupProbe: Probe
  livenessProbe: Probe
  readinessProbe: Probe
  lifecycle: { preStop: { exec: { command: [string, string] } } }
  resources: { requests: Record<string, string>, limits: Record<string, string> }
  securityContext: { allowPrivilegeEscalation: boolean, readOnlyRootFilesystem: boolean, capabilities: { drop: string[] } }
}

interface Probe { httpGet: { path: string, port: string } }

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string, namespace?: string, labels?: Record<string, string> }
  spec: any
  data?: Record<string, string>
}

export const OVERLAYS = ['external', 'operators', 'keda'] as const

export const noKubectl = spawnSync('kubectl', ['version', '--client']).status !== 0 && 'no kubectl on this machine'

/** What `kubectl apply -k` would send. */
export function render (overlay: typeof OVERLAYS[number]): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', `deploy/kubernetes/overlays/${overlay}`], { encoding: 'utf8' })
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}
