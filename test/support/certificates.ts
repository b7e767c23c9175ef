import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface Certificate { key: string, cert: string }

/** Options of a test that makes certificates. */
export const needsOpenssl: { skip?: string } = hasOpenssl() ? {} : { skip: 'openssl is not to be had on this machine' }

/** Signed by itself, for this name; the other is one that has expired. */
export function certificateOf (t: Test, name: string, { expired = false } = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-cert-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [key, cert, request] = [join(folder, 'key.pem'), join(folder, 'cert.pem'), join(folder, 'request.pem')]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key]
  if (expired) {
    execFileSync('openssl', ['req', ...newKey, '-out', request, ...subject], { stdio: 'ignore' })
    // The oldest way that every release has: a validity that ended on the day it began.
    execFileSync('openssl', ['x509', '-req', '-in', request, '-signkey', key, '-copy_extensions', 'copy', '-days', '-1', '-out', cert], { stdio: 'ignore' })
  } else execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '1', '-out', cert, ...subject], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

function hasOpenssl (): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
